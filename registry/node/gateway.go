package node

import (
	"context"
	"net/http"
	pathpkg "path"
	"strings"
	"time"

	"github.com/ipfs/boxo/gateway"
	uio "github.com/ipfs/boxo/ipld/unixfs/io"
	"github.com/ipfs/boxo/ipns"
	"github.com/ipfs/go-cid"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/trialith/trialith/trial"
)

// Limits of the gateway; the library's own are off unless named.
const (
	maxRequests = 64
	maxDuration = time.Minute
	maxResponse = 128 << 20
)

// sandbox makes a browser treat what it shows as of an origin of its own, which
// may run nothing and load nothing: a file of a package can hold anything.
const sandbox = "sandbox; default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

type gatewayParts struct {
	trustless http.Handler
}

func (n *Node) openGateway() error {
	backend, err := gateway.NewBlocksBackend(n.service, gateway.WithValueStore(records{n}))
	if err != nil {
		return err
	}
	n.gateway.trustless = gateway.NewHandler(gateway.Config{
		NoDNSLink: true, DisableHTMLErrors: true, RetrievalTimeout: maxDuration, MaxConcurrentRequests: maxRequests,
		MaxRequestDuration: maxDuration, MaxUnixFSDAGResponseSize: maxResponse, MaxDeserializedResponseSize: maxResponse,
		MetricsRegistry: prometheus.NewRegistry(),
	}, backend)
	return nil
}

// show makes a release visible: its package, those before it, and its name.
func (n *Node) show(ctx context.Context, r Release) error {
	for _, root := range append(r.Earlier, r.Root) {
		a, err := n.Archive(ctx, root)
		if err != nil {
			return err
		}
		index, err := a.Index()
		if err != nil {
			return err
		}
		n.mu.Lock()
		n.published[root] = &published{root: root, index: index}
		for _, k := range a.Blocks() {
			n.visible[toCID(k.CID)] = true
		}
		n.mu.Unlock()
	}
	name, err := n.ipnsName(r.Trial)
	if err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.names[string(name.RoutingKey())] = r.Root
	return nil
}

func (n *Node) loadReleases(ctx context.Context) error {
	list, err := n.Releases(ctx)
	if err != nil {
		return err
	}
	for _, r := range list {
		if err := n.show(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// Gateway serves what is published below /ipfs/ and /ipns/, by GET and HEAD:
// blocks, archives and name records to whoever checks them (?format=raw, car,
// ipns-record, or the Accept header of the Trustless Gateway specification), and
// files to readers, sandboxed. It sends no permissive CORS header and sets no
// cookie.
func (n *Node) Gateway() http.Handler { return n.serve(true) }

// Trustless is the Gateway without files to readers, for an origin that must
// not show any.
func (n *Node) Trustless() http.Handler { return n.serve(false) }

func (n *Node) serve(readable bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", sandbox)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			h.Set("Allow", "GET, HEAD")
			http.Error(w, "only GET and HEAD", http.StatusMethodNotAllowed)
			return
		}
		space, id, rest, ok := split(r.URL.Path)
		if !ok {
			http.NotFound(w, r)
			return
		}
		switch root, known := n.find(space, id); {
		case !known:
			http.Error(w, "not published here", http.StatusNotFound)
		case trustless(r):
			n.gateway.trustless.ServeHTTP(w, r)
		case readable:
			n.read(w, r, space, id, root, rest)
		default:
			http.Error(w, "this gateway serves verifiable formats only: add ?format=raw, ?format=car or ?format=ipns-record", http.StatusNotAcceptable)
		}
	})
}

// split takes apart /ipfs/<cid>/<path> and /ipns/<name>/<path>.
func split(path string) (space, id, rest string, ok bool) {
	space, rest, _ = strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if space != "ipfs" && space != "ipns" || len(path) > 1024 {
		return "", "", "", false
	}
	id, rest, _ = strings.Cut(rest, "/")
	return space, id, rest, id != ""
}

// find is the published root that an id stands for. Each block of a package can
// be asked for, and is no root.
func (n *Node) find(space, id string) (root trial.CID, known bool) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	if space == "ipns" {
		name, err := ipns.NameFromString(id)
		if err != nil {
			return root, false
		}
		root, known = n.names[string(name.RoutingKey())]
		return root, known
	}
	c, err := cid.Decode(id)
	if err != nil || !n.visible[c] {
		return root, false
	}
	return trial.CID(c.Bytes()), true
}

// trustless reports whether the client asks for a format that it can check.
func trustless(r *http.Request) bool {
	switch r.URL.Query().Get("format") {
	case "raw", "car", "ipns-record":
		return true
	case "":
	default:
		return false
	}
	accept := r.Header.Get("Accept")
	for _, kind := range []string{"application/vnd.ipld.raw", "application/vnd.ipld.car", "application/vnd.ipfs.ipns-record"} {
		if strings.Contains(accept, kind) {
			return true
		}
	}
	return false
}

// shown are the media types that a browser may show; all others it saves.
var shown = map[string]string{
	".html": "text/html; charset=utf-8",
	".json": "application/json",
	".csv":  "text/csv; charset=utf-8",
	".md":   "text/plain; charset=utf-8",
	".txt":  "text/plain; charset=utf-8",
}

// front is the file that stands for the package itself.
const front = "ro-crate-preview.html"

// read serves one file of a package to a reader.
func (n *Node) read(w http.ResponseWriter, r *http.Request, space, id string, root trial.CID, path string) {
	n.mu.RLock()
	p := n.published[root]
	n.mu.RUnlock()
	if p == nil {
		http.Error(w, "a block of a package; ask for ?format=raw", http.StatusNotFound)
		return
	}
	if path == "" {
		if !strings.HasSuffix(r.URL.Path, "/") {
			http.Redirect(w, r, "/"+space+"/"+id+"/", http.StatusMovedPermanently) //nolint:gosec // space and id are one of ours and a parsed CID: find knows them
			return
		}
		path = front
	}
	leaf, found := p.index[path]
	if !found {
		http.Error(w, "no such file in this package", http.StatusNotFound)
		return
	}
	nd, err := n.dag.Get(r.Context(), toCID(leaf))
	if err != nil {
		http.Error(w, "the store does not give this file", http.StatusInternalServerError)
		return
	}
	file, err := uio.NewDagReader(r.Context(), nd, n.dag)
	if err != nil {
		http.Error(w, "the store does not give this file", http.StatusInternalServerError)
		return
	}
	defer file.Close()
	headers(w.Header(), space, leaf, path)
	http.ServeContent(w, r, "", time.Time{}, file)
}

func headers(h http.Header, space string, leaf trial.CID, path string) {
	h.Set("Etag", `"`+leaf.String()+`"`)
	h.Set("Cache-Control", "public, max-age=300")
	if space == "ipfs" { // named by its hash, it never changes
		h.Set("Cache-Control", "public, max-age=29030400, immutable")
	}
	media, ok := shown[pathpkg.Ext(path)]
	if !ok {
		media = "application/octet-stream"
		h.Set("Content-Disposition", `attachment; filename="`+pathpkg.Base(path)+`"`)
	}
	h.Set("Content-Type", media)
}
