# The ID is the FoneNumber.
terraform import fractel_fonenumber_delivery.support 3215551212
