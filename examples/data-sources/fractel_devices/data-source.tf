data "fractel_devices" "apps" {
  type = "App"
}

# IDs of the devices by their names. Several devices can have the same name.
output "apps" {
  value = { for id, device in data.fractel_devices.apps.devices : coalesce(device.name, "unnamed") => id... }
}
