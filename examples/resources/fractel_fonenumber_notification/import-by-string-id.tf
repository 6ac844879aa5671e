import {
  to = fractel_fonenumber_notification.support
  id = "3215551212/receive"
}
