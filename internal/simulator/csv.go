package simulator

import (
	_ "embed"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
)

// documented contains the FoneNumbers of the account in the README, the documentation, and the examples.
//
//go:embed documented.csv
var documented string

// partner is the user of another account, for the guide on multiple accounts.
var partner = User{Name: "partner", Password: "partner-password", Account: "3000000001"}

// DocumentedVariables returns environment variables for the Terraform variables of the examples.
func DocumentedVariables() []string {
	return []string{"TF_VAR_hook_password=correct-horse", "TF_VAR_partner_password=" + partner.Password}
}

// CSVColumns contains the columns that PutCSV reads, in the order of documented.csv. Only the first is required.
var CSVColumns = []string{"fonenumber", "type", "value", "label", "group", "account", "url_method", "notify_url"}

// PutCSV adds FoneNumbers from a CSV table with a header. A row of type Device also adds the device, with the value as its ID
// and the label as its name. An error contains the line number.
func (s *Simulator) PutCSV(table io.Reader) error {
	reader := csv.NewReader(table)
	header, err := reader.Read()
	if err != nil {
		return fmt.Errorf("reading the header of the table: %w", err)
	}
	header[0] = strings.TrimPrefix(header[0], "\ufeff") // Spreadsheets write a byte order mark.
	for _, column := range header {
		if !slices.Contains(CSVColumns, column) {
			return fmt.Errorf("unknown column %q: use %s", column, strings.Join(CSVColumns, ", "))
		}
	}
	for {
		cells, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading the table: %w", err)
		}
		row := make(map[string]string, len(header))
		for i, column := range header {
			row[column] = strings.TrimSpace(cells[i])
		}
		if err := s.putRow(row); err != nil {
			line, _ := reader.FieldPos(0)
			return fmt.Errorf("line %d of the table: %w", line, err)
		}
	}
}

func (s *Simulator) putRow(row map[string]string) error {
	number := nationalDigits(row["fonenumber"])
	if !tenDigits.MatchString(number) {
		return fmt.Errorf("the fonenumber %q must have ten digits", row["fonenumber"])
	}
	if account := row["account"]; account != "" && !tenDigits.MatchString(account) {
		return fmt.Errorf("the account %q must have ten digits", account)
	}
	kind, value := row["type"], row["value"]
	if reason := badDelivery(url.Values{"type": {kind}, "value": {value}}); reason != "" && (kind != "" && kind != "None" || value != "") {
		return errors.New(reason)
	}
	f := FoneNumber{Number: number, Label: row["label"], Group: row["group"], Subaccount: row["account"]}
	f.Receive = f.Receive.Delivering(kind, value)
	if row["url_method"] != "" {
		f.Receive.URLMethod = row["url_method"]
	}
	if row["notify_url"] != "" {
		f.ReceiveNotify = Notify{Type: "Callback", URL: row["notify_url"], Method: "POST"}
	}
	s.Put(f)
	if kind == "Device" {
		s.PutDevice(Device{ID: value, Name: row["label"], Type: "App", FoneNumber: number, Subaccount: f.Subaccount})
	}
	return nil
}

// nationalDigits removes punctuation and the country code 1 from a telephone number.
func nationalDigits(text string) string {
	digits := strings.Map(func(c rune) rune {
		if c < '0' || c > '9' {
			return -1
		}
		return c
	}, text)
	if len(digits) == 11 {
		digits = strings.TrimPrefix(digits, "1")
	}
	return digits
}
