package api

import (
	"bytes"
	"html/template"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// page lists the operations. It needs neither style nor script.
var page = template.Must(template.New("docs").Parse(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.Title}} API {{.Version}}</title>
</head>
<body>
<main>
<h1>{{.Title}} API {{.Version}}</h1>
<p>{{.Description}}</p>
<p>The whole description, with the form of each answer: <a href="/v1/openapi.json">OpenAPI 3.1 as JSON</a>,
<a href="/v1/openapi.yaml">as YAML</a>. An error answers an RFC 9457 problem; its <code>code</code> is the number of the refusal.
Names and hashes are lower-case hex, days YYYY-MM-DD, times RFC 3339 in UTC.</p>
<ul>{{range .Operations}}
<li><a href="#{{.ID}}"><code>{{.Method}} {{.Path}}</code></a></li>{{end}}
</ul>
{{range .Operations}}<section id="{{.ID}}">
<h2><code>{{.Method}} {{.Path}}</code></h2>
<p>{{.Summary}}</p>{{if .Description}}
<p>{{.Description}}</p>{{end}}{{if .Parameters}}
<dl>{{range .Parameters}}
<dt><code>{{.Name}}</code> ({{.In}})</dt><dd>{{.Description}}</dd>{{end}}
</dl>{{end}}{{if .Takes}}
<p>Takes {{.Takes}}{{if .Limit}}, at most {{.Limit}} bytes{{end}}.</p>{{end}}
<p>Answers {{.Answers}}.</p>
</section>
{{end}}</main>
</body>
</html>
`))

type described struct {
	*huma.Operation
	ID, Takes, Answers string
	Limit              int64
}

// docs renders the description of the API for people.
func docs(o *huma.OpenAPI) ([]byte, error) {
	var list []described
	for _, item := range o.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post} {
			if op != nil {
				list = append(list, describe(op))
			}
		}
	}
	slices.SortFunc(list, func(a, b described) int {
		return strings.Compare(a.Path+" "+a.Method, b.Path+" "+b.Method)
	})
	var out bytes.Buffer
	err := page.Execute(&out, struct {
		Title, Version, Description string
		Operations                  []described
	}{o.Info.Title, o.Info.Version, o.Info.Description, list})
	return out.Bytes(), err
}

func describe(op *huma.Operation) described {
	d := described{Operation: op, ID: op.OperationID}
	if op.RequestBody != nil {
		d.Takes, d.Limit = kinds(op.RequestBody.Content), op.MaxBodyBytes-1
	}
	var answers []string
	for status, r := range op.Responses {
		answer := status
		if k := kinds(r.Content); k != "" {
			answer += " " + k
		}
		answers = append(answers, answer)
	}
	slices.Sort(answers)
	d.Answers = strings.Join(answers, "; ")
	return d
}

func kinds(content map[string]*huma.MediaType) string {
	var out []string
	for k := range content {
		out = append(out, k)
	}
	slices.Sort(out)
	return strings.Join(out, " or ")
}
