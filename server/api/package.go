package api

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"github.com/trialith/trialith/trial"
)

// maxPackage is the largest package that is taken here, in bytes.
const maxPackage = 64 << 20

const carType = "application/vnd.ipld.car"

// packageRoutes take the bytes of released results. Whoever sends them needs no
// right: the ledger names what is taken, byte by byte.
func (s *server) packageRoutes() {
	o := operation(http.MethodPost, "/v1/trials/{trial}/package", "package", "Give the registry the bytes of the released results")
	o.Description = "An archive (CAR version 1) whose root is the package that the ledger names as released. Nothing else is taken."
	o.MaxBodyBytes = maxPackage + 1
	o.Parameters = []*huma.Param{{
		Name: "trial", In: "path", Required: true, Description: "the trial's name, 64 lower-case hex digits",
		Schema: &huma.Schema{Type: "string", Pattern: "^[0-9a-f]{64}$"},
	}}
	o.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		carType: {Schema: &huma.Schema{Type: "string", Format: "binary"}},
	}}
	o.Responses = map[string]*huma.Response{"200": {Description: "Held, pinned and named", Content: map[string]*huma.MediaType{
		"application/json": {Schema: &huma.Schema{Type: "object"}},
	}}}
	s.raw(o, s.pack)
}

func (s *server) pack(c *gin.Context) error {
	if s.Package == nil {
		return errNoSuch
	}
	id, err := name[trial.ID]("trial", c.Param("trial"))
	if err != nil {
		return err
	}
	if err := takes(c, carType); err != nil {
		return err
	}
	ctx := c.Request.Context()
	f, size, leave, err := s.received(c, maxPackage)
	if err != nil {
		return err
	}
	defer leave()
	release, err := s.packing.Take(ctx, patience)
	if err != nil {
		return err
	}
	defer release()
	b := make([]byte, size)
	if _, err := f.ReadAt(b, 0); err != nil && size > 0 {
		return err
	}
	root, err := s.Package(ctx, id, b)
	if err != nil {
		return err
	}
	c.JSON(http.StatusOK, gin.H{"cid": root})
	return nil
}
