package terraformcli

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
)

// releaseSite serves downloadVersion like HashiCorp's site. It returns the URL and the public key of the signatures.
func releaseSite(t *testing.T) (site, key string) {
	t.Helper()
	var archive bytes.Buffer
	writer := zip.NewWriter(&archive)
	file, err := writer.Create("terraform")
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(file, "#!/bin/sh\necho Terraform v%s\n", downloadVersion)
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	base := "terraform_" + downloadVersion
	name := fmt.Sprintf("%s_%s_%s.zip", base, runtime.GOOS, runtime.GOARCH)
	sums := fmt.Sprintf("%x  %s\n", sha256.Sum256(archive.Bytes()), name)
	signature, key := sign(t, sums)
	index := fmt.Sprintf(`{"name": "terraform", "version": %q, "shasums": %q, "shasums_signature": %q,
		"builds": [{"os": %q, "arch": %q, "filename": %q, "url": "https://elsewhere.example.com/terraform/%s/%s"}]}`,
		downloadVersion, base+"_SHA256SUMS", base+"_SHA256SUMS.sig", runtime.GOOS, runtime.GOARCH, name, downloadVersion, name)
	files := map[string]struct{ kind, content string }{
		"index.json":             {"application/json", index},
		base + "_SHA256SUMS":     {"text/plain", sums},
		base + "_SHA256SUMS.sig": {"application/octet-stream", signature},
		name:                     {"application/zip", archive.String()},
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		served, ok := files[path.Base(r.URL.Path)]
		if !ok || path.Dir(r.URL.Path) != "/terraform/"+downloadVersion {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", served.kind)
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(served.content))
	}))
	t.Cleanup(server.Close)
	return server.URL, key
}

// sign signs with a new key and returns the signature and the public key.
func sign(t *testing.T, text string) (signature, key string) {
	t.Helper()
	signer, err := openpgp.NewEntity("test", "", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	var signed, public bytes.Buffer
	if err := openpgp.DetachSign(&signed, signer, strings.NewReader(text), nil); err != nil {
		t.Fatal(err)
	}
	armored, err := armor.Encode(&public, openpgp.PublicKeyType, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := signer.Serialize(armored); err != nil {
		t.Fatal(err)
	}
	armored.Close()
	return signed.String(), public.String()
}

func TestDownload(t *testing.T) {
	t.Parallel()
	site, key := releaseSite(t)
	d := download{dir: filepath.Join(t.TempDir(), "cache"), site: site, key: key, patience: time.Minute}
	var progress strings.Builder
	executable, err := d.run(t.Context(), &progress)
	if err != nil {
		t.Fatal(err)
	}
	cli, err := Inspect(t.Context(), executable)
	if err != nil || cli.Product() != "Terraform "+downloadVersion {
		t.Errorf("downloaded %s, %v", cli.Product(), err)
	}
	want := fmt.Sprintf("Downloading Terraform %s from %s (0 MB) to %s\n", downloadVersion, site, d.dir)
	if progress.String() != want {
		t.Errorf("announced %q, want %q", progress.String(), want)
	}
	onlyFile(t, d.dir, "terraform")
}

// A download that HashiCorp has not signed is not used and not kept.
func TestDownloadOfAnotherSigner(t *testing.T) {
	t.Parallel()
	site, _ := releaseSite(t)
	d := download{dir: t.TempDir(), site: site, patience: time.Minute}
	if _, err := d.run(t.Context(), &strings.Builder{}); err == nil || !strings.Contains(err.Error(), "unable to verify checksums signature") {
		t.Errorf("the error is %v", err)
	}
	onlyFile(t, d.dir, "")
}

// A site that accepts connections but does not respond is an error.
func TestDownloadDoesNotWait(t *testing.T) {
	t.Parallel()
	released := make(chan struct{})
	site := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-released }))
	t.Cleanup(site.Close)
	t.Cleanup(func() { close(released) })
	d := download{dir: t.TempDir(), site: site.URL, patience: 50 * time.Millisecond}
	if _, err := d.run(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "deadline exceeded") {
		t.Errorf("the error is %v", err)
	}
}

func onlyFile(t *testing.T, dir, want string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	if strings.Join(names, ", ") != want {
		t.Errorf("the folder contains %q, want %q", names, want)
	}
}
