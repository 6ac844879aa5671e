package provider

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/nyaruka/phonenumbers"
)

// normalizeFoneNumberFunction converts telephone numbers to FoneStorm's format. It sends no requests.
type normalizeFoneNumberFunction struct{}

func newNormalizeFoneNumberFunction() function.Function { return &normalizeFoneNumberFunction{} }

func (f *normalizeFoneNumberFunction) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = "normalize_fonenumber"
}

func (f *normalizeFoneNumberFunction) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = function.Definition{
		Summary: "Return the ten digits of a telephone number",
		MarkdownDescription: "Converts a North American telephone number to the ten digits that FoneStorm uses: `+1 (321) 555-1212`, `1-321-555-1212`, " +
			"and `tel:+1-321-555-1212` all return `3215551212`. Fails for any other value, such as a number of another country, or one with a leading 0, letters, or an extension.",
		Parameters: []function.Parameter{
			function.StringParameter{Name: "number", MarkdownDescription: "North American telephone number in any common format."},
		},
		Return: function.StringReturn{},
	}
}

func (f *normalizeFoneNumberFunction) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	var number string
	if resp.Error = req.Arguments.Get(ctx, &number); resp.Error != nil {
		return
	}
	digits, err := normalizeFoneNumber(number)
	if err != nil {
		resp.Error = function.NewArgumentFuncError(0, err.Error()) // Terraform adds the period.
		return
	}
	resp.Error = resp.Result.Set(ctx, digits)
}

// normalizeFoneNumber returns the ten digits of a North American telephone number in any common format. It rejects letters and a
// leading 0, which the library drops: the national number of another country would become the number of a stranger.
func normalizeFoneNumber(text string) (string, error) {
	number, _ := phonenumbers.Parse(text, "US")              // If it fails, the number has no digits.
	given, _, _ := strings.Cut(strings.TrimSpace(text), ";") // Without the parameters of a tel: URI.
	given = strings.TrimPrefix(strings.ToLower(given), "tel:")
	digits := strconv.FormatUint(number.GetNationalNumber(), 10)
	isNorthAmerican := number.GetCountryCode() == 1 && tenDigits.MatchString(digits) && digits[0] >= '2'
	isAll := number.GetExtension() == "" && strings.TrimPrefix(phonenumbers.NormalizeDigitsOnly(given), "1") == digits
	if !isNorthAmerican || !isAll || strings.ContainsFunc(given, unicode.IsLetter) {
		return "", fmt.Errorf("%s is not a North American telephone number, such as \"+1 (321) 555-1212\": "+
			"it must have ten digits, and no leading 0, letters, or extension", quoted(text))
	}
	return digits, nil
}
