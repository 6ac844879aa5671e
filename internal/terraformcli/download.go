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

// downloadVersion of Terraform has passed all tests of this project.
const downloadVersion = "1.15.9"

// download is how to get Terraform from HashiCorp.
type download struct {
	dir      string // Where it goes.
	site     string
	key      string        // That signs releases; HashiCorp's when empty.
	patience time.Duration // How long the site may take to respond. The transfer itself may take longer.
}

// run downloads Terraform and returns its path. Several processes may do so at the same time.
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

// size returns how many bytes the archive has. It shows early whether the site can be reached at all: the library itself
// would try for minutes.
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
