package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"net/http"
	"path"
	"strings"

	"github.com/gin-gonic/gin"
)

//go:embed assets/*.css assets/*.svg assets/*.txt assets/*.js
var assetFiles embed.FS

// assets are the files the pages are served with. Each is named by its content,
// so that a browser may keep it for good.
type assets struct {
	address map[string]string // by plain name: "trialith.css"
	file    map[string]asset  // by served name: "trialith.0a1b2c3d.css"
}

type asset struct {
	kind   string
	body   []byte
	packed []byte // with gzip; nil where that gains nothing
}

func newAsset(kind string, body []byte) (asset, error) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return asset{}, err
	}
	if _, err := z.Write(body); err != nil {
		return asset{}, err
	}
	if err := z.Close(); err != nil {
		return asset{}, err
	}
	a := asset{kind: kind, body: body}
	if b.Len() < len(body)*9/10 {
		a.packed = b.Bytes()
	}
	return a, nil
}

var kinds = map[string]string{
	".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".txt": "text/plain; charset=utf-8", ".js": "text/javascript; charset=utf-8",
}

func loadAssets() (assets, error) {
	a := assets{address: map[string]string{}, file: map[string]asset{}}
	entries, err := assetFiles.ReadDir("assets")
	if err != nil {
		return a, fmt.Errorf("web: assets: %w", err)
	}
	for _, e := range entries {
		body, err := assetFiles.ReadFile("assets/" + e.Name())
		if err != nil {
			return a, fmt.Errorf("web: assets: %w", err)
		}
		sum := sha256.Sum256(body)
		ext := path.Ext(e.Name())
		served := strings.TrimSuffix(e.Name(), ext) + "." + hex.EncodeToString(sum[:8]) + ext
		a.address[e.Name()] = "/assets/" + served
		if a.file[served], err = newAsset(kinds[ext], body); err != nil {
			return a, fmt.Errorf("web: assets: %s: %w", e.Name(), err)
		}
	}
	return a, nil
}

func (s *site) asset(c *gin.Context) {
	f, ok := s.assets.file[c.Param("name")]
	if !ok {
		c.String(http.StatusNotFound, "no such file")
		return
	}
	c.Header("Cache-Control", "public, max-age=31536000, immutable")
	c.Header("Vary", "Accept-Encoding")
	if f.packed != nil && strings.Contains(c.GetHeader("Accept-Encoding"), "gzip") {
		c.Header("Content-Encoding", "gzip")
		c.Data(http.StatusOK, f.kind, f.packed)
		return
	}
	c.Data(http.StatusOK, f.kind, f.body)
}
