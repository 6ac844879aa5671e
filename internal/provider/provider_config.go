package provider

import (
	"cmp"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
)

// The environment variables for attributes of the provider block, which takes precedence.
const (
	envEndpoint          = "FRACTEL_ENDPOINT"
	envUsername          = "FRACTEL_USERNAME"
	envPassword          = "FRACTEL_PASSWORD"
	envToken             = "FRACTEL_TOKEN" //nolint:gosec // The name of a variable.
	envSubaccount        = "FRACTEL_SUBACCOUNT"
	envRequestsPerSecond = "FRACTEL_REQUESTS_PER_SECOND"
)

// clientConfig combines a known provider block with the environment and the defaults.
func (m providerModel) clientConfig() (fonestorm.Config, diag.Diagnostics) {
	config := fonestorm.Config{
		Endpoint:          cmp.Or(m.Endpoint.ValueString(), os.Getenv(envEndpoint), fonestorm.DefaultEndpoint),
		RequestsPerSecond: int(m.RequestsPerSecond.ValueInt64()),
		MaxRetries:        fonestorm.DefaultMaxRetries,
		RequestTimeout:    fonestorm.DefaultRequestTimeout,
	}
	if !m.MaxRetries.IsNull() {
		config.MaxRetries = int(m.MaxRetries.ValueInt64())
	}
	if !m.RequestTimeout.IsNull() {
		config.RequestTimeout, _ = time.ParseDuration(m.RequestTimeout.ValueString()) // Its validator has already checked it.
	}
	var diags diag.Diagnostics
	if err := checkEndpoint("The endpoint from "+envEndpoint, config.Endpoint); err != nil { // A validator checks the endpoint in the block.
		diags.AddAttributeError(path.Root("endpoint"), endpointRule().summary, err.Error())
	}
	if m.RequestsPerSecond.IsNull() {
		diags.Append(requestsPerSecondFromEnvironment(&config)...)
	}
	diags.Append(m.credentials(&config)...)
	diags.Append(m.subaccount(&config)...)
	return config, diags
}

// subaccount sets the subaccount to manage. It ignores the environment variable if the provider block contains a token,
// which already belongs to one account.
func (m providerModel) subaccount(config *fonestorm.Config) (diags diag.Diagnostics) {
	config.Subaccount = cmp.Or(m.Subaccount.ValueString(), os.Getenv(envSubaccount))
	if config.Subaccount == "" || !m.Token.IsNull() {
		config.Subaccount = ""
		return nil
	}
	if config.Token != "" {
		diags.AddAttributeError(path.Root("subaccount"), "Subaccount Conflicts With Token",
			fmt.Sprintf("Both a subaccount and a token (%s) are set, but a token already belongs to one account. Set username and password instead of the token, or remove the subaccount.", envToken))
	}
	if err := subaccountRule().check(config.Subaccount); err != nil {
		diags.AddAttributeError(path.Root("subaccount"), subaccountRule().summary, fmt.Sprintf("%s is not valid. %s", envSubaccount, err))
	}
	return diags
}

func requestsPerSecondFromEnvironment(config *fonestorm.Config) (diags diag.Diagnostics) {
	text := cmp.Or(os.Getenv(envRequestsPerSecond), strconv.Itoa(fonestorm.DefaultRequestsPerSecond))
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		diags.AddAttributeError(path.Root("requests_per_second"), "Invalid Request Rate",
			fmt.Sprintf("%s must be a whole number that is greater than zero, but %q was given.", envRequestsPerSecond, text))
	}
	config.RequestsPerSecond = n
	return diags
}

// credentials sets the credentials. The environment completes a username or password in the provider block. Only if the
// block contains neither these nor a token does the environment choose between them.
func (m providerModel) credentials(config *fonestorm.Config) (diags diag.Diagnostics) {
	username := cmp.Or(m.Username.ValueString(), os.Getenv(envUsername))
	password := cmp.Or(m.Password.ValueString(), os.Getenv(envPassword))
	token := cmp.Or(m.Token.ValueString(), os.Getenv(envToken))
	switch {
	case !m.Token.IsNull():
		username, password = "", ""
	case !m.Username.IsNull() || !m.Password.IsNull():
		token = ""
	case token != "" && (username != "" || password != ""):
		diags.AddError("Conflicting FoneStorm Credentials", fmt.Sprintf("The environment contains both a token (%s) and a username or password (%s, %s). "+
			"Unset one of them, or set the one to use in the provider block.", envToken, envUsername, envPassword))
	}
	switch {
	case token != "" || username != "" && password != "":
	case username != "":
		diags.AddAttributeError(path.Root("password"), "Missing FoneStorm Password",
			fmt.Sprintf("A username is set but no password. Set password, or preferably the environment variable %s.", envPassword))
	case password != "":
		diags.AddAttributeError(path.Root("username"), "Missing FoneStorm Username",
			fmt.Sprintf("A password is set but no username. Set username or the environment variable %s.", envUsername))
	default:
		diags.AddError("Missing FoneStorm Credentials", fmt.Sprintf("Neither the provider block nor the environment contains credentials. "+
			"Set username and password in the provider block, or the environment variables "+
			"%s and %s, or a token (%s).", envUsername, envPassword, envToken))
	}
	config.Username, config.Password, config.Token = username, password, token
	return diags
}
