import {
  to = fractel_fonenumber_delivery.support
  identity = {
    fonenumber = "3215551212"
  }
}
