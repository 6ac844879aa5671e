data "fractel_device" "front_desk" {
  name = "Front desk"
}

resource "fractel_fonenumber_delivery" "front_desk" {
  fonenumber = "3215551212"
  type       = "Device"
  value      = data.fractel_device.front_desk.id
}
