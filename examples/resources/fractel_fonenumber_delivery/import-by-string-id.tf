import {
  to = fractel_fonenumber_delivery.support
  id = "3215551212"
}
