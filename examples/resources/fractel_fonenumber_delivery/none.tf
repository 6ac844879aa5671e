# Deletes messages upon receipt without any delivery.
resource "fractel_fonenumber_delivery" "retired" {
  fonenumber = "3215551205"
  type       = "None"
}
