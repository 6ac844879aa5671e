package provider

import (
	"fmt"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// A delivery and both notifications of one FoneNumber from create to destroy. plugin-testing checks that the plan after each step is
// empty, and that the states after an import and after the create are the same.
func TestAccLifeOfNotifications(t *testing.T) {
	t.Parallel()
	a := newAccountWith(t, testNumber)
	const of = "fractel_fonenumber_notification."
	config := func(receive, send string) string {
		return a.provider() + destinations[1].config(testNumber) + fmt.Sprintf(`
resource "fractel_fonenumber_notification" "receive" {
  fonenumber = fractel_fonenumber_delivery.test.fonenumber
  event      = "receive"
  %s
}

resource "fractel_fonenumber_notification" "send" {
  fonenumber = %q
  event      = "send"
  %s
}

data "fractel_fonenumber" "test" {
  fonenumber = %[2]q
  depends_on = [fractel_fonenumber_notification.receive, fractel_fonenumber_notification.send]
}
`, receive, testNumber, send)
	}
	callback := func(method string) string {
		return fmt.Sprintf("type = \"Callback\"\n  value = %q\n  url_method = %q\n  url_username = \"hook\"\n  url_password = \"horse\"", hookURL, method)
	}
	mail := "type = \"Email\"\n  value = \"archive@example.com\""
	isSet := func(receive, send simulator.Notify) resource.TestCheckFunc {
		return func(*terraform.State) error {
			f, _ := a.Get(testNumber)
			f.ReceiveNotify.URLPassword, f.SendNotify.URLPassword = "", ""
			if f.ReceiveNotify != receive || f.SendNotify != send || f.Receive.Type != "Email" {
				return fmt.Errorf("FoneStorm has %+v", f)
			}
			return nil
		}
	}
	shows := func(notify, name, value string) statecheck.StateCheck {
		return statecheck.ExpectKnownValue("data.fractel_fonenumber.test", tfjsonpath.New(notify).AtMapKey(name), knownvalue.StringExact(value))
	}
	asJSON := simulator.Notify{Type: "Callback", URL: hookURL, Method: "JSON", URLUsername: "hook"}
	mailed := simulator.Notify{Type: "Email", Email: "archive@example.com"}
	imports := func(event string) resource.TestStep {
		return resource.TestStep{
			ResourceName: of + event, ImportState: true, ImportStateId: testNumber + "/" + event, ImportStateVerify: true,
			ImportStateVerifyIdentifierAttribute: "event", ImportStateVerifyIgnore: []string{"url_username", "url_password"},
		}
	}
	expects := func(event string, action plancheck.ResourceActionType) resource.ConfigPlanChecks {
		return resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectResourceAction(of+event, action)}}
	}
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: inProcess(),
		CheckDestroy: func(*terraform.State) error {
			f, _ := a.Get(testNumber)
			if f.ReceiveNotify.Type != "None" || f.ReceiveNotify.URLUsername != "" || f.SendNotify.Type != "None" || f.Receive.Type != "None" {
				return fmt.Errorf("after the destroy, FoneStorm has %+v", f)
			}
			return nil
		},
		Steps: []resource.TestStep{
			{
				Config: config(callback("JSON"), mail), Check: isSet(asJSON, mailed), ConfigPlanChecks: expects("receive", plancheck.ResourceActionCreate),
				ConfigStateChecks: []statecheck.StateCheck{shows("receive_notify", "method", "JSON"), shows("send_notify", "email", "archive@example.com")},
			},
			imports("receive"), imports("send"),
			{
				PreConfig: func() {
					f, _ := a.Get(testNumber)
					f.ReceiveNotify.Method, f.SendNotify = "GET", simulator.Notify{}
					a.Put(f)
				},
				Config: config(callback("JSON"), mail), Check: isSet(asJSON, mailed), ConfigPlanChecks: expects("send", plancheck.ResourceActionUpdate),
			},
			{
				Config:           config(mail, callback("POST")),
				ConfigPlanChecks: expects("receive", plancheck.ResourceActionUpdate),
				Check: isSet(simulator.Notify{Type: "Email", Email: "archive@example.com", URL: hookURL, Method: "JSON"},
					simulator.Notify{Type: "Callback", URL: hookURL, Method: "POST", Email: "archive@example.com", URLUsername: "hook"}),
			},
		},
	})
}
