package provider

import (
	"fmt"
	"os"
	"strings"
	"unicode"
)

// envAppendUserAgent is a variable that Terraform and OpenTofu also use for their own requests.
const envAppendUserAgent = "TF_APPEND_USER_AGENT"

// userAgent returns the User-Agent of every request. It names both Terraform and OpenTofu, because the CLI sends its version
// but not its name. White space and control characters in the appended text become single spaces: a header with control
// characters would make every request fail.
func userAgent(version, cliVersion string) string {
	agent := fmt.Sprintf("terraform-provider-fractel/%s (Terraform or OpenTofu %s)", version, cliVersion)
	appended := strings.FieldsFunc(os.Getenv(envAppendUserAgent), func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) })
	return strings.Join(append([]string{agent}, appended...), " ")
}
