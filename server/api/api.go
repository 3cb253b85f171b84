// Package api is the HTTP API of a node, version 1: what a program may ask and
// send. Its description is OpenAPI 3.1, made from the very types that answer.
//
// Whoever sends an act needs no account, session or cookie, and nothing about
// the sender is written anywhere: no address, no user agent, no request log.
package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"

	"github.com/trialith/trialith/server/problem"
	"github.com/trialith/trialith/server/upload"
)

// release of the API.
const release = "1.0.0"

// patience is how long a request waits for the read model to catch up.
const patience = 10 * time.Second

// server answers the API's requests.
type server struct {
	Config
	api huma.API
	// making, checking and packing bound what is in memory at once, each by
	// itself: who has files checked keeps nobody from getting one. receiving and
	// sending bound the nameless files on the disk.
	making, checking, packing upload.Turns
	receiving, sending        upload.Turns
}

const (
	filesAtOnce = 2
	peersAtOnce = 128
)

// New makes an engine that serves the API alone.
func New(c Config) (*gin.Engine, error) {
	engine := gin.New()
	if err := Register(engine, c); err != nil {
		return nil, err
	}
	engine.NoRoute(secured, func(c *gin.Context) {
		problem.Write(c.Writer, problem.New(http.StatusNotFound, "no such address; /v1/docs lists all"))
	})
	return engine, nil
}

// Register mounts the API on an engine, below /v1, and /healthz.
func Register(engine *gin.Engine, c Config) error {
	if err := c.validate(); err != nil {
		return err
	}
	s := &server{
		Config: c, making: upload.NewTurns(filesAtOnce), checking: upload.NewTurns(filesAtOnce), packing: upload.NewTurns(filesAtOnce),
		receiving: upload.NewTurns(peersAtOnce), sending: upload.NewTurns(peersAtOnce),
	}
	group := engine.Group("", secured, s.recovered)
	config := huma.DefaultConfig("Trialith", release)
	config.Info.Description = "What is registered, consented and published on this ledger of clinical trials. " + c.Notice
	// The library's own pages load scripts from elsewhere; ours are below.
	config.OpenAPIPath, config.DocsPath, config.SchemasPath, config.CreateHooks = "", "", "", nil
	s.api = humagin.NewWithGroup(engine, group, config)
	s.ledgerRoutes()
	s.transactionRoutes()
	s.trialRoutes()
	s.safetyRoutes()
	s.resultsRoutes()
	s.treeRoutes()
	s.peopleRoutes()
	s.wayRoutes()
	s.delegationRoutes()
	s.evidenceRoutes()
	s.packageRoutes()
	group.GET("/healthz", s.health)
	return s.describe(group)
}

func init() {
	// The library keeps its one way to make an error in a variable.
	huma.NewError = func(status int, message string, errs ...error) huma.StatusError {
		for _, err := range errs {
			message += "; " + err.Error()
		}
		return problem.New(status, message)
	}
}

// get adds a route that answers JSON. What is said about it follows the summary.
func get[I, O any](s *server, path, id, summary string, handler func(context.Context, *I) (*O, error), said ...string) {
	o := operation(http.MethodGet, path, id, summary)
	o.Description = strings.Join(said, " ")
	huma.Register(s.api, o, answering(s, handler))
}

func operation(method, path, id, summary string) huma.Operation {
	return huma.Operation{Method: method, Path: path, OperationID: id, Summary: summary}
}

// answering turns whatever a handler fails with into a problem, and tells the
// log of what is the server's own fault.
func answering[I, O any](s *server, handler func(context.Context, *I) (*O, error)) func(context.Context, *I) (*O, error) {
	return func(ctx context.Context, in *I) (*O, error) {
		out, err := handler(ctx, in)
		if err != nil {
			return nil, s.fault(err)
		}
		return out, nil
	}
}

func (s *server) fault(err error) *problem.Problem {
	p := problem.From(err)
	if cause := p.Cause(); cause != nil {
		s.Log.Error("a request failed", "error", cause)
	}
	return p
}

// fresh waits until the read model has what the ledger had when the request
// came, so that whoever sees a transaction's outcome sees its effect too.
func (s *server) fresh(ctx context.Context) error {
	return s.reached(ctx, s.Ledger.Head().Height)
}

func (s *server) reached(ctx context.Context, height uint64) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return s.Model.Wait(ctx, height)
}

// secured sets the headers of every answer. Nothing here is a page, and nothing
// sets a cookie.
func secured(c *gin.Context) {
	h := c.Writer.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
}

// recovered answers where a handler panicked.
func (s *server) recovered(c *gin.Context) {
	defer func() {
		r := recover()
		if r == nil {
			return
		}
		if r == http.ErrAbortHandler { //nolint:errorlint // net/http compares it so
			panic(r)
		}
		problem.Write(c.Writer, s.fault(fmt.Errorf("panic: %v", r)))
	}()
	c.Next()
}

func (s *server) health(c *gin.Context) {
	if err := s.Ledger.Err(); err != nil {
		s.Log.Error("not healthy", "error", err)
		problem.Write(c.Writer, problem.New(http.StatusServiceUnavailable, "the ledger or a follower has stopped"))
		return
	}
	c.String(http.StatusOK, "ok\n")
}

// describe serves the description of the API, made once.
func (s *server) describe(group *gin.RouterGroup) error {
	asJSON, err := json.MarshalIndent(s.api.OpenAPI(), "", "  ")
	if err != nil {
		return fmt.Errorf("api: describe: %w", err)
	}
	asYAML, err := s.api.OpenAPI().YAML()
	if err != nil {
		return fmt.Errorf("api: describe: %w", err)
	}
	page, err := docs(s.api.OpenAPI())
	if err != nil {
		return fmt.Errorf("api: describe: %w", err)
	}
	for _, x := range []struct {
		path, kind string
		bytes      []byte
	}{
		{"/v1/openapi.json", "application/vnd.oai.openapi+json;version=3.1", asJSON},
		{"/v1/openapi.yaml", "application/vnd.oai.openapi;version=3.1", asYAML},
		{"/v1/docs", "text/html; charset=utf-8", page},
	} {
		group.GET(x.path, func(c *gin.Context) { c.Data(http.StatusOK, x.kind, x.bytes) })
	}
	return nil
}
