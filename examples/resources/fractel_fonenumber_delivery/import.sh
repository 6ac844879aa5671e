# The ID is the FoneNumber, ten digits.
terraform import fractel_fonenumber_delivery.support 3215551212
