package simulator

import (
	"cmp"
	_ "embed"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strings"
)

// documented contains the FoneNumbers of the account in the README, the documentation, and the examples.
//
//go:embed documented.csv
var documented string

// partner is the user "partner" of another account, for the guide on multiple accounts.
var partner = user{"partner-password", "3000000001"}

// DocumentedVariables returns environment variables for the Terraform variables of the examples.
func DocumentedVariables() []string {
	return []string{"TF_VAR_hook_password=correct-horse", "TF_VAR_partner_password=" + partner.password}
}

// CSVColumns contains the columns that PutCSV reads, in the order of documented.csv. Only the first is required.
var CSVColumns = []string{"fonenumber", "type", "value", "label", "group", "account", "url_method", "notify_url", "send_notify_url"}

// PutCSV adds FoneNumbers from a CSV table with a header. Types and values are not validated, because an account may contain
// what cannot be set. A row of type Device also adds the device, with the value as its ID and the label as its name.
func (s *Simulator) PutCSV(table io.Reader) error {
	rows, err := csv.NewReader(table).ReadAll()
	if err != nil || len(rows) == 0 {
		return fmt.Errorf("reading the table: %w", cmp.Or(err, io.ErrUnexpectedEOF))
	}
	header := rows[0]
	header[0] = strings.TrimPrefix(header[0], "\ufeff") // Spreadsheets write a byte order mark.
	for _, column := range header {
		if !slices.Contains(CSVColumns, column) {
			return fmt.Errorf("unknown column %q: use %s", column, strings.Join(CSVColumns, ", "))
		}
	}
	for i, cells := range rows[1:] {
		row := make(map[string]string, len(header))
		for i, column := range header {
			row[column] = strings.TrimSpace(cells[i])
		}
		f := FoneNumber{Number: row["fonenumber"], Label: row["label"], Group: row["group"], Subaccount: row["account"]}
		for _, number := range []string{f.Number, cmp.Or(f.Subaccount, s.options.Account)} {
			if !tenDigits.MatchString(number) {
				return fmt.Errorf("row %d of the table: %q must have ten digits", i+2, number)
			}
		}
		f.Receive = f.Receive.Delivering(row["type"], row["value"])
		f.Receive.URLMethod = cmp.Or(row["url_method"], f.Receive.URLMethod)
		for column, notify := range map[string]*Notify{"notify_url": &f.ReceiveNotify, "send_notify_url": &f.SendNotify} {
			if row[column] != "" {
				*notify = Notify{Type: "Callback", URL: row[column], Method: "POST"}
			}
		}
		s.Put(f)
		if f.Receive.Type == "Device" {
			s.PutDevice(Device{ID: f.Receive.Device, Name: f.Label, Type: "App", FoneNumber: f.Number, Subaccount: f.Subaccount})
		}
	}
	return nil
}
