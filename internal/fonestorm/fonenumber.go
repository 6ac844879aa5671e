package fonestorm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// FoneNumber is a telephone number of the account.
type FoneNumber struct {
	Number string // Ten digits.
	Label  string // What the account calls it; may be empty.
	Group  string // The group it is in; may be empty.
	Status Status

	// MessagingDisabled is set when the account takes no messages at this number.
	MessagingDisabled bool

	// Delivery is where its messages go; nil when FoneStorm does not show it.
	Delivery *Delivery

	// CallbackURL is the callback URL that FoneStorm shows, current or stale; empty for none.
	CallbackURL string
}

// Status is the `is_active` of a FoneNumber. The zero value means that FoneStorm did not say.
type Status string

// The documented states of a FoneNumber.
const (
	Active              Status = "yes"
	CancellationPending Status = "no"
	Cancelled           Status = "cancel"
)

// GetFoneNumber returns one FoneNumber. The error has status 404 when the account does not have it. Reads are shared:
// the answer may be up to 30 seconds old, but is never older than what this client has set since.
func (c *Client) GetFoneNumber(ctx context.Context, number string) (FoneNumber, error) {
	return c.snapshot.get(ctx, number)
}

// Known returns a FoneNumber that GetFoneNumber would return without a request, and whether there is one.
func (c *Client) Known(number string) (FoneNumber, bool) {
	return c.snapshot.known(number)
}

// ListFoneNumbers returns every active FoneNumber of the account, in FoneStorm's order. The list is shared in the same
// way as single reads.
func (c *Client) ListFoneNumbers(ctx context.Context) ([]FoneNumber, error) {
	return c.snapshot.list(ctx)
}

// fetchFoneNumbers asks FoneStorm for all FoneNumbers.
func (c *Client) fetchFoneNumbers(ctx context.Context) ([]FoneNumber, error) {
	var list []FoneNumber
	err := c.call(ctx, &request{
		doing:  "listing the account's FoneNumbers",
		method: http.MethodGet,
		path:   "/fonenumbers",
		query:  url.Values{"filter": {"all"}},
	}, func(body io.Reader) error {
		list = []FoneNumber{} // An earlier attempt may have got part of it.
		return decodeList(body, func(f FoneNumber) { list = append(list, f) })
	})
	if err != nil {
		return nil, err // Part of the account is no answer.
	}
	return list, nil
}

// fetchFoneNumber asks FoneStorm for one FoneNumber.
func (c *Client) fetchFoneNumber(ctx context.Context, number string) (FoneNumber, error) {
	r := request{
		doing:  "reading FoneNumber " + number,
		method: http.MethodGet,
		path:   "/fonenumbers/" + url.PathEscape(number),
	}
	var answer answer
	if err := c.call(ctx, &r, answer.decode); err != nil {
		return FoneNumber{}, err
	}
	return answer.about(r, number)
}

// answer is what FoneStorm says about one FoneNumber.
type answer struct {
	envelope
	Result     string          `json:"result"`
	FoneNumber *wireFoneNumber `json:"fonenumber"`
}

func (a *answer) decode(body io.Reader) error {
	*a = answer{} // An earlier attempt may have got part of it.
	if err := json.NewDecoder(body).Decode(a); err != nil {
		return err
	}
	switch {
	case a.FoneNumber != nil || a.Result == "SUCCESS":
		return nil
	case a.Error != "":
		return fmt.Errorf("it reports success and the error %q: %s", a.Error, a.Message)
	default:
		return errors.New("it holds no FoneNumber")
	}
}

// about returns the FoneNumber of the answer, or an error when the answer is about another one than was asked.
func (a *answer) about(r request, number string) (FoneNumber, error) {
	if a.FoneNumber == nil {
		return FoneNumber{}, &AnswerError{Doing: r.doing, Reason: "it holds no FoneNumber"}
	}
	if a.FoneNumber.Number != number {
		return FoneNumber{}, &AnswerError{
			Doing:  r.doing,
			Reason: fmt.Sprintf("it is about FoneNumber %q", r.printable(a.FoneNumber.Number)),
		}
	}
	return a.FoneNumber.foneNumber(), nil
}

// wireFoneNumber is a FoneNumber in the API's form. Members that are not named here are ignored.
type wireFoneNumber struct {
	Number         string       `json:"fonenumber"`
	Label          string       `json:"label"`
	Group          string       `json:"group"`
	IsActive       Status       `json:"is_active"`
	SMSOptions     *wireOptions `json:"sms_options"`     // Up to v2.10.
	MessageOptions *wireOptions `json:"message_options"` // v2.11 and later.
}

type wireOptions struct {
	Receive          *wireReceive `json:"receive"`
	SMSEnabled       string       `json:"sms_enabled"`
	MessagingEnabled string       `json:"messaging_enabled"`
}

// wireReceive has one field for each destination. Those of other types keep old values and mean nothing.
type wireReceive struct {
	Type      string `json:"type"`
	Device    string `json:"device"`
	Email     string `json:"email"`
	URL       string `json:"url"`
	URLMethod string `json:"url_method"`
	Forward   string `json:"forward"`
}

func (w *wireFoneNumber) foneNumber() FoneNumber {
	f := FoneNumber{Number: w.Number, Label: w.Label, Group: w.Group, Status: w.IsActive}
	for _, options := range []*wireOptions{w.MessageOptions, w.SMSOptions} {
		if options == nil {
			continue
		}
		if strings.EqualFold(options.SMSEnabled, "no") || strings.EqualFold(options.MessagingEnabled, "no") {
			f.MessagingDisabled = true
		}
		if options.Receive != nil && f.Delivery == nil {
			f.Delivery = options.Receive.delivery()
			f.CallbackURL = options.Receive.URL
		}
	}
	return f
}

func (w *wireReceive) delivery() *Delivery {
	d := &Delivery{Type: parseType(w.Type)}
	switch d.Type {
	case Device:
		d.Value = w.Device
	case Email:
		d.Value = w.Email
	case URL:
		d.Value = w.URL
		d.URLMethod = strings.ToUpper(w.URLMethod)
	case Forward:
		d.Value = w.Forward
	case None: // Has no destination.
	}
	return d
}

// decodeList reads an answer of `GET /fonenumbers` as a stream, so that the account is never in memory twice. Entries
// that are bare numbers become FoneNumbers without delivery.
func decodeList(body io.Reader, add func(FoneNumber)) error {
	decoder := json.NewDecoder(body)
	if err := expect(decoder, json.Delim('{')); err != nil {
		return err
	}
	found := false
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return err
		}
		if name != "fonenumbers" {
			if err := decoder.Decode(&struct{}{}); err != nil && !isTypeError(err) {
				return err
			}
			continue
		}
		found = true
		if err := decodeEntries(decoder, add); err != nil {
			return err
		}
	}
	if !found {
		return errors.New("it holds no list of FoneNumbers")
	}
	return expect(decoder, json.Delim('}'))
}

func decodeEntries(decoder *json.Decoder, add func(FoneNumber)) error {
	if err := expect(decoder, json.Delim('[')); err != nil {
		return err
	}
	for decoder.More() {
		var entry wireEntry
		if err := decoder.Decode(&entry); err != nil {
			return err
		}
		add(entry.foneNumber())
	}
	return expect(decoder, json.Delim(']'))
}

func expect(decoder *json.Decoder, want json.Delim) error {
	token, err := decoder.Token()
	if err != nil {
		return err
	}
	if token != want {
		return fmt.Errorf("it has %v where %v should be", token, want)
	}
	return nil
}

func isTypeError(err error) bool {
	var mismatch *json.UnmarshalTypeError
	return errors.As(err, &mismatch)
}

// wireEntry is one entry of the list: a FoneNumber, or its number alone.
type wireEntry struct{ wireFoneNumber }

func (e *wireEntry) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		return json.Unmarshal(data, &e.Number)
	}
	return json.Unmarshal(data, &e.wireFoneNumber)
}
