package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/function"
)

var _ function.Function = (*normalizeFoneNumberFunction)(nil)

// normalizeFoneNumberFunction writes telephone numbers as FoneStorm does. It needs no account.
type normalizeFoneNumberFunction struct{}

func newNormalizeFoneNumberFunction() function.Function { return &normalizeFoneNumberFunction{} }

func (f *normalizeFoneNumberFunction) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = "normalize_fonenumber"
}

func (f *normalizeFoneNumberFunction) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = function.Definition{
		Summary: "The ten digits of a telephone number",
		MarkdownDescription: "Writes a North American telephone number as FoneStorm does, as ten digits: `+1 (321) 555-1212`, `1-321-555-1212` " +
			"and `tel:+1-321-555-1212` all give `3215551212`. Anything else is an error.",
		Parameters: []function.Parameter{
			function.StringParameter{Name: "number", MarkdownDescription: "A North American telephone number, however it is written."},
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
		resp.Error = function.NewArgumentFuncError(0, err.Error()) // Terraform ends the sentence.
		return
	}
	resp.Error = resp.Result.Set(ctx, digits)
}
