package simulator

// partner is the user "partner" of another account, for the guide on multiple accounts.
var partner = user{"partner-password", "3000000001"}

// DocumentedVariables returns environment variables for the Terraform variables of the examples.
func DocumentedVariables() []string {
	return []string{"TF_VAR_hook_password=correct-horse", "TF_VAR_partner_password=" + partner.password}
}

// documented contains the FoneNumbers of the account in the README, the documentation, and the examples. Those of type Device deliver to
// a device of the same name.
var documented = []FoneNumber{
	{Number: "3215551201", Label: "Front desk", Group: "Offices", Receive: to("Device", "987123543678")},
	{Number: "3215551202", Label: "Operations", Group: "Offices", Receive: to("Email", "ops@example.com")},
	{
		Number: "3215551203", Label: "Billing", Group: "Offices", Receive: Receive{Type: "URL", URL: "https://old-billing.example.com/sms", URLMethod: "GET"},
		SendNotify: Notify{Type: "Callback", URL: "https://hooks.example.com/sent", Method: "POST"},
	},
	{Number: "3215551204", Label: "After hours", Group: "Offices", Receive: to("Forward", "3215551111")},
	{Number: "3215551205", Label: "Retired", Group: "Offices", Receive: to("Email", "someone.who.left@example.com")},
	{Number: "3215551206", Label: "North", Group: "Branches", Receive: to("Email", "north@example.com")},
	{Number: "3215551207", Label: "South", Group: "Branches", Receive: to("Email", "south@example.com")},
	{
		Number: "3215551208", Label: "Support hooks", Group: "Support",
		Receive: Receive{Type: "URL", URL: "https://hooks.example.com/support?msg={{msg}}", URLMethod: "JSON"},
	},
	{
		Number: "3215551209", Label: "Deleted although notified", Group: "Support",
		ReceiveNotify: Notify{Type: "Callback", URL: "https://hooks.example.com/sms", Method: "POST"},
	},
	{
		Number: "3215551210", Label: "Arriving twice", Group: "Support", Receive: to("URL", "https://hooks.example.com/sms?to={{to}}"),
		ReceiveNotify: Notify{Type: "Callback", URL: "https://hooks.example.com/sms?to={{to}}", Method: "POST"},
	},
	{Number: "3215551212", Label: "Support", Group: "Support", Receive: to("URL", "https://hooks.example.com/sms?from={{from}}&msg={{msg}}")},
	{Number: "3215550000", Label: "Branch 0", Receive: to("Device", "987123500000")},
	{Number: "3215550001", Label: "Branch 1", Receive: to("Email", "branch1@example.com")},
	{Number: "3215550002", Label: "Branch 2", Receive: to("URL", "https://hooks.example.com/2?msg={{msg}}")},
	{Number: "3215550003", Label: "Branch 3", Receive: to("Forward", "3215551103")},
	{Number: "3215550004", Label: "Branch 4"},
	{Number: "3215550005", Label: "Branch 5", Receive: to("Device", "987123500005")},
	{Number: "3215550006", Label: "Branch 6", Receive: to("Email", "branch6@example.com")},
	{Number: "3215550007", Label: "Branch 7", Receive: Receive{Type: "URL", URL: "https://hooks.example.com/7?msg={{msg}}", URLMethod: "JSON"}},
	{Number: "3215550100", Label: "Module 0", Receive: to("Email", "ops@example.com")},
	{Number: "3215550101", Label: "Module 1"},
	{Number: "3215550102", Label: "Module 2"},
	{Number: "3215550103", Label: "Module 3"},
	{Number: "3215550104", Label: "Module 4"},
	{Number: "3215550200", Label: "Retail north", Subaccount: "2000000001", Receive: to("Email", "north@example.com")},
	{Number: "3215550201", Label: "Retail south", Subaccount: "2000000001", Receive: to("Email", "south@example.com")},
	{Number: "3215550300", Label: "Clinics", Subaccount: "2000000002"},
	{Number: "3215550400", Label: "Partner", Subaccount: partner.account, Receive: to("Email", "partner@example.com")},
}

// to returns a delivery to a destination.
func to(kind, value string) Receive { return Receive{}.Delivering(kind, value) }

// putDocumented adds the documented account.
func (s *Simulator) putDocumented() {
	for _, f := range documented {
		s.Put(f)
		if f.Receive.Type == "Device" {
			s.PutDevice(Device{ID: f.Receive.Device, Name: f.Label, Type: "App", FoneNumber: f.Number, Subaccount: f.Subaccount})
		}
	}
}
