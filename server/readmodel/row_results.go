package readmodel

type reportRow struct {
	Trial      []byte
	Report     []byte
	Place      uint64
	Site       []byte
	Clock      uint8
	Received   int32
	Counted    int32
	Serious    bool
	Boundaries []byte
	Late       bool
	Lowered    bool
	FollowUps  uint32
	Time       int64
	Sequence   uint64
}

type exposureRow struct {
	Trial    []byte
	Site     []byte
	UntilDay int32
	Days     int64
	Time     int64
	Sequence uint64
}

type lookRow struct {
	Trial          []byte
	Look           uint32
	FromDay        int32
	AsOf           int32
	Time           int64
	Board          []byte
	Days           int64
	Counts         []byte
	Opened         int64
	Arms           []byte
	Sequence       uint64
	OpenedSequence uint64
}

type flagRow struct {
	Trial         []byte
	Boundary      string
	Arm           string
	Look          uint32
	Crossed       int32
	Events        int64
	Days          int64
	ExpectedMicro int64
	Time          int64
	Sequence      uint64
}

type boardDecisionRow struct {
	Trial    []byte
	Place    uint64
	Look     uint32
	Boundary string
	Decision uint8
	Reason   string
	Time     int64
	Sequence uint64
}

type datasetRow struct {
	Trial       []byte
	Name        string
	CutDay      int32
	Commits     uint32
	Root        []byte
	DataRows    int64
	Subjects    int64
	ColumnNames []byte
	Committed   int64
	Locked      int64
	Sequence    uint64
}

type unblindingRow struct {
	Trial     []byte
	Place     uint64
	Whole     bool
	Site      []byte
	Cause     uint8
	OpenNames []byte
	Time      int64
	Sequence  uint64
}

type phaseRow struct {
	Trial    []byte
	Phase    string
	Day      int32
	Time     int64
	Sequence uint64
}

type planRow struct {
	Trial    []byte
	Place    uint64
	Document []byte
	Time     int64
	Sequence uint64
}

type cutRow struct {
	Trial    []byte
	Cut      uint32
	AsOf     int32
	Checks   []byte
	Time     int64
	Sequence uint64
}

type stageRow struct {
	Trial      []byte
	Stage      uint32
	Package    []byte
	Manifest   []byte
	Outcomes   []byte
	Cut        uint32
	Supersedes uint32
	Comparison []byte
	Time       int64
	Sequence   uint64
}

type holdingRow struct {
	Trial     []byte
	Stage     uint32
	Custodian []byte
	Name      string
	Holds     bool
	Refusal   string
	Time      int64
	Sequence  uint64
}

type releaseRow struct {
	Trial      []byte
	Stage      uint32
	Place      uint64
	Actor      []byte
	Label      string
	Exceptions []byte
	Checks     []byte
	Comparison []byte
	Time       int64
	Sequence   uint64
}

type pinRow struct {
	Trial    []byte
	Stage    uint32
	Actor    []byte
	Node     string
	UntilDay int32
	Time     int64
	Sequence uint64
}

// correctionRow links a release to the one that it corrects; 0 as corrected
// says that the stage itself was retracted.
type correctionRow struct {
	Trial    []byte
	Stage    uint32
	Corrects uint32
	Reason   string
	Time     int64
	Sequence uint64
}

func (reportRow) TableName() string        { return "reports" }
func (exposureRow) TableName() string      { return "exposures" }
func (lookRow) TableName() string          { return "looks" }
func (flagRow) TableName() string          { return "flags" }
func (boardDecisionRow) TableName() string { return "board_decisions" }
func (datasetRow) TableName() string       { return "datasets" }
func (unblindingRow) TableName() string    { return "unblindings" }
func (phaseRow) TableName() string         { return "phases" }
func (planRow) TableName() string          { return "plans" }
func (cutRow) TableName() string           { return "cuts" }
func (stageRow) TableName() string         { return "stages" }
func (holdingRow) TableName() string       { return "holdings" }
func (releaseRow) TableName() string       { return "releases" }
func (pinRow) TableName() string           { return "pins" }
func (correctionRow) TableName() string    { return "corrections" }
