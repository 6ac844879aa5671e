package contract

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
)

// Limits of a restoration.
const (
	restoreAttempts = 6
	restoreTimeout  = 2 * time.Minute
)

var errTokenRejected = errors.New("FoneStorm rejected the token (status 401)")

// Notice returns a warning about what a run does to the FoneNumber.
func (c Config) Notice() string {
	return fmt.Sprintf("The delivery of FoneNumber %s is set to test destinations (addresses at example.com, a fictional telephone number,\n"+
		"a device of the account, None) and then restored. MESSAGES RECEIVED DURING THE CHECK ARE LOST. Old values of other types, and\n"+
		"the credentials and method of a callback URL, are not restored.", c.FoneNumber)
}

// NotRestoredError means that a FoneNumber may still have a delivery that the check has set. Its text contains the original
// delivery to set by hand, and is only for the terminal.
type NotRestoredError struct {
	FoneNumber  string
	Type, Value string
}

func (e *NotRestoredError) Error() string {
	return fmt.Sprintf("FONENUMBER %s WAS NOT RESTORED. Set its delivery by hand now: type %q, value %q", e.FoneNumber, e.Type, e.Value)
}

// Preserve reads the delivery of a FoneNumber and returns a function that restores it within two minutes, even after the context
// has ended. It returns an error if it would not be possible to restore the delivery.
func Preserve(ctx context.Context, config Config) (restore func(context.Context) error, err error) {
	s := newSession(config)
	if err := config.check(); err != nil {
		return nil, err
	}
	if err := s.logIn(ctx); err != nil {
		return nil, err
	}
	original, err := s.original(ctx)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) error { return s.restore(ctx, original) }, nil
}

// original returns the delivery of the FoneNumber, or an error if it could not be restored later.
func (s *session) original(ctx context.Context) (fonestorm.Delivery, error) {
	var none fonestorm.Delivery
	x, err := s.get(ctx, "get", foneNumberPath, s.FoneNumber, s.token)
	if err != nil {
		return none, err
	}
	if x.status == http.StatusUnauthorized {
		return none, errTokenRejected
	}
	if x.status == http.StatusNotFound {
		return none, fmt.Errorf("FoneNumber %s is not in the account", s.FoneNumber)
	}
	delivery, ok := deliveryOf(x)
	switch {
	case !ok:
		return none, fmt.Errorf("the delivery of FoneNumber %s cannot be read (status %d), so it could not be restored later", s.FoneNumber, x.status)
	case delivery.Type == fonestorm.URL && !s.Force:
		return none, fmt.Errorf("FoneNumber %s delivers to a URL, whose credentials, and a method other than POST, cannot be restored: use another FoneNumber, or -force (FRACTEL_TEST_FORCE=1 for make testacc-live)", s.FoneNumber)
	}
	return delivery, nil
}

// deliveryOf returns the delivery of the FoneNumber in a response, in the spelling of settings. A missing delivery is not treated
// as None, because it may be missing by mistake.
func deliveryOf(x *exchange) (delivery fonestorm.Delivery, ok bool) {
	object, ok := newObject(x.fonenumber, at(x.json, "fonenumber"))
	kind, isText := object.receive["type"].(string)
	if kind, known := object.receive["type"]; !ok || !x.ok() || !known || kind != nil && !isText {
		return delivery, false
	}
	delivery = fonestorm.Delivery{
		Type:  fonestorm.DeliveryType(kind),
		Value: text(object.receive[object.currentField()]),
	}.Normalized()
	return delivery, slices.Contains(documentedTypes, string(delivery.Type)) && (delivery.Type == fonestorm.None || delivery.Value != "")
}

// restore sets the original delivery until a read confirms it.
func (s *session) restore(ctx context.Context, original fonestorm.Delivery) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), restoreTimeout)
	defer cancel()
	t := trial{kind: string(original.Type), value: original.Value}
	if t.value == "" {
		t.value = string(fonestorm.None)
	}
	for attempt := range restoreAttempts {
		body := s.settingKind
		if body == "" && attempt%2 == 1 {
			body = "form"
		}
		x := s.set(ctx, "restore", body, t)
		if x.status == http.StatusUnauthorized && s.Token == "" {
			_ = s.renewToken(ctx, "renew") // The next attempt shows whether it worked.
		}
		if x, err := s.get(ctx, "restored", foneNumberPath, s.FoneNumber, s.token); err == nil {
			if now, ok := deliveryOf(x); ok && fonestorm.SameDestination(now, original) {
				return nil
			}
		}
		if attempt < restoreAttempts-1 && sleep(ctx, time.Second<<attempt) != nil {
			break
		}
	}
	return &NotRestoredError{s.FoneNumber, t.kind, t.value}
}
