package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"
)

// delivery is a type and a destination, as they are set.
type delivery struct{ kind, value string }

// field returns the member of a delivery that contains the destination.
func (d delivery) field() string { return strings.ToLower(d.kind) }

// setEveryType sets each type on the FoneNumber, shows what FoneStorm makes of it, and finally restores what was there before,
// also if the context ends.
func (c *checker) setEveryType(ctx context.Context, number string, receive map[string]any, device string, force bool) (err error) {
	original, err := restorable(receive)
	switch {
	case err != nil:
		return err
	case original.kind == "URL" && !force:
		return errors.New("the FoneNumber delivers to a URL, whose credentials and method cannot be restored: use another one, or -force")
	}
	defer func() {
		if failed := c.restore(context.WithoutCancel(ctx), number, original); failed != nil {
			err = failed
		}
	}()
	for _, d := range []delivery{
		{"Email", "Terraform.Check@Example.com"},
		{"URL", "https://Example.com/Check?from={{from}}&msg={{msg}}"},
		{"Forward", "2025550123"},
		{"Device", device},
		{"None", "None"},
	} {
		if d.value == "" {
			fmt.Fprintln(c.out, "\nThe account has no device, so that type Device is not set.")
			continue
		}
		if err := c.trySetting(ctx, number, d); err != nil {
			return err
		}
	}
	return nil
}

// restorable returns a delivery in the spelling of settings, or an error if it could not be set again.
func restorable(receive map[string]any) (delivery, error) {
	shown, isSet := receive["type"]
	name, isText := shown.(string)
	for _, kind := range []string{"Device", "Email", "URL", "Forward", "None"} {
		d := delivery{kind, "None"}
		if kind == "None" && isSet && (shown == nil || isText && name == "") {
			return d, nil // Never set.
		}
		if !isText || !strings.EqualFold(kind, strings.TrimSpace(name)) {
			continue
		}
		if kind != "None" && receive[d.field()] != nil {
			d.value = strings.TrimSpace(fmt.Sprint(receive[d.field()]))
		}
		switch kind {
		case "Device":
			d.value = notDigits.ReplaceAllString(d.value, "")
		case "Forward":
			d.value = notDigits.ReplaceAllString(d.value, "")
			d.value = d.value[max(0, len(d.value)-10):] // Without the country code.
		case "URL":
			d.value = strings.NewReplacer("%7B", "{", "%7b", "{", "%7D", "}", "%7d", "}").Replace(d.value)
		}
		if d.value != "" && (d.value != "None" || kind == "None") {
			return d, nil
		}
	}
	return delivery{}, errors.New("the delivery of the FoneNumber cannot be read, so that it could not be restored")
}

// set sets a delivery. It is not canceled, because a canceled setting could take effect after a later one.
func (c *checker) set(ctx context.Context, number string, d delivery, more map[string]any) (response, error) {
	if ctx.Err() != nil {
		return response{}, errors.New("interrupted")
	}
	parameters := map[string]any{"fonenumber": number, "type": d.kind, "value": d.value, "url_method": "POST"}
	maps.Copy(parameters, more)
	return c.call(context.WithoutCancel(ctx), "POST", "/messages/receive", parameters)
}

// trySetting sets a delivery and shows how FoneStorm shows it, in the response and in a read. A URL has credentials, and None
// removes them, because the provider needs both.
func (c *checker) trySetting(ctx context.Context, number string, d delivery) error {
	more := map[string]map[string]any{
		"URL": {"url_username": "terraform", "url_password": "check"}, "None": {"url_username": "", "url_password": ""},
	}[d.kind]
	r, err := c.set(ctx, number, d, more)
	if err != nil {
		return err
	}
	receive := deliveryOf(r.at("fonenumber"))
	c.expect(r.status == 200 && (receive == nil || c.shows(receive, d)), "the setting was rejected, or the response shows another delivery")
	if r, err = c.call(ctx, "GET", "/fonenumbers/"+number, nil); err == nil {
		c.expect(c.shows(deliveryOf(r.at("fonenumber")), d), "the FoneNumber shows another delivery")
	}
	return err
}

// shows prints how FoneStorm shows a delivery that was set, and reports whether it is recognizable.
func (c *checker) shows(receive map[string]any, d delivery) bool {
	kind, isSame := comparison(d.kind, receive["type"])
	value, isSameValue := "none", true
	if d.kind != "None" {
		value, isSameValue = comparison(d.value, receive[d.field()])
	}
	fmt.Fprintf(c.out, "  type: %s; destination: %s\n", kind, value)
	return isSame && isSameValue
}

// restore sets the original delivery until a read confirms it.
func (c *checker) restore(ctx context.Context, number string, original delivery) error {
	fmt.Fprintln(c.out, "\nRestoring the FoneNumber.")
	for attempt := range 6 {
		time.Sleep(time.Duration(attempt) * time.Second)
		if _, err := c.set(ctx, number, original, nil); err != nil {
			continue
		}
		r, err := c.call(ctx, "GET", "/fonenumbers/"+number, nil)
		if err == nil && c.shows(deliveryOf(r.at("fonenumber")), original) {
			fmt.Fprintln(c.out, "  The FoneNumber is restored.")
			return nil
		}
	}
	return fmt.Errorf("FONENUMBER %s WAS NOT RESTORED. Set its delivery by hand now: %s %q", number, original.kind, original.value)
}
