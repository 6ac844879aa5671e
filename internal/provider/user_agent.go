package provider

import (
	"fmt"
	"os"
	"strings"
	"unicode"
)

// envAppendUserAgent is what Terraform and OpenTofu read themselves, too, and pass on to providers.
const envAppendUserAgent = "TF_APPEND_USER_AGENT"

// userAgent returns the User-Agent of every request. The CLI sends its version but not its name, and Terraform 1.12 and
// OpenTofu 1.12 are different programs, so both are named. What the environment appends becomes one line, since a header
// with control characters would make every request fail.
func userAgent(version, cliVersion string) string {
	agent := fmt.Sprintf("terraform-provider-fractel/%s (Terraform or OpenTofu %s)", version, cliVersion)
	appended := strings.FieldsFunc(os.Getenv(envAppendUserAgent), func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) })
	return strings.Join(append([]string{agent}, appended...), " ")
}
