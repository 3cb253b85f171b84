// Package registry makes and reads results packages: what a trial publishes,
// as a directory of files that anybody can read with the field's own tools.
//
// A package is an RO-Crate 1.2 with its tables as CDISC Dataset-JSON 1.1 and,
// for people, as CSV and HTML; a FHIR R5 ResearchStudy; the registered
// definition of the trial, its analysis plan and a summary for lay readers. It
// holds no data of a person, which CheckCells tells from the bytes alone.
//
// Its name is the CID of its directory under one fixed profile. Root computes
// it without a store, so that a custodian needs nobody's word for it; CAR and
// DecodeCAR carry the whole in one file. Package registry/node keeps and serves
// packages.
package registry

// File is one file of a package. Path is relative, with forward slashes.
type File struct {
	Path string
	Data []byte
}

// Package is a whole package, its files sorted by path.
type Package struct {
	Files []File
}

// File finds a file by its path.
func (p Package) File(path string) ([]byte, bool) {
	for _, f := range p.Files {
		if f.Path == path {
			return f.Data, true
		}
	}
	return nil, false
}
