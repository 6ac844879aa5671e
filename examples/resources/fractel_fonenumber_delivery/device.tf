# Delivers messages to a registered device, such as a SIP handset, an app, or a WebRTC endpoint. The data source
# fractel_device finds its ID by its name.
resource "fractel_fonenumber_delivery" "front_desk" {
  fonenumber = "3215551201"
  type       = "Device"
  value      = "987123543678"
}
