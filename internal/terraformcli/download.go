package terraformcli

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/hashicorp/go-version"
	"github.com/hashicorp/hc-install/product"
	"github.com/hashicorp/hc-install/releases"
)

// downloadVersion is the version of Terraform with which all tests pass.
const downloadVersion = "1.15.9"

// download downloads Terraform from HashiCorp.
type download struct {
	dir      string // Target folder.
	site     string
	key      string        // Public key of the signatures; HashiCorp's if empty.
	patience time.Duration // Timeout for the first response. The download may take longer.
}

// run downloads Terraform and returns its path. It is safe to run in several processes at the same time.
func (d download) run(ctx context.Context, progress io.Writer) (string, error) {
	size, err := d.size(ctx)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(d.dir, 0o700); err != nil {
		return "", err
	}
	unfinished, err := os.MkdirTemp(d.dir, "download-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(unfinished) }()
	fmt.Fprintf(progress, "Downloading Terraform %s from %s (%d MB) to %s\n", downloadVersion, d.site, size/1_000_000, d.dir)
	source := &releases.ExactVersion{
		Product:          product.Terraform,
		Version:          version.Must(version.NewVersion(downloadVersion)),
		InstallDir:       unfinished,
		Timeout:          10 * time.Minute,
		ApiBaseURL:       d.site,
		ArmoredPublicKey: d.key,
	}
	path, err := source.Install(ctx)
	if err != nil {
		return "", err
	}
	finished := filepath.Join(d.dir, filepath.Base(path))
	return finished, os.Rename(path, finished)
}

// size returns the size of the archive. It also detects early that the site is unreachable, for which the library would take
// minutes.
func (d download) size(ctx context.Context) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, d.patience)
	defer cancel()
	archive := fmt.Sprintf("%s/terraform/%s/terraform_%s_%s_%s.zip", d.site, downloadVersion, downloadVersion, runtime.GOOS, runtime.GOARCH)
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, archive, nil)
	if err != nil {
		return 0, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("%s returned %s", archive, response.Status)
	}
	return response.ContentLength, nil
}
