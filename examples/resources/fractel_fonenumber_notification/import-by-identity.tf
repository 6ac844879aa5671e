import {
  to = fractel_fonenumber_notification.support
  identity = {
    fonenumber = "3215551212"
    event      = "receive"
  }
}
