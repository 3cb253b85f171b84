package readmodel

// The rows as the tables have them. Names of 32 bytes are byte strings; lists
// and structures that no query looks into are their canonical CBOR.

type blockRow struct {
	Height uint64
	Time   int64
	First  uint64
	Count  uint32
}

type entryRow struct {
	Place    uint64
	Stream   []byte
	Sequence uint64
	Height   uint64
	Idx      uint32
	Time     int64
	Hash     []byte
	Kind     uint16
	Code     uint16
	Signer   []byte
}

type actorRow struct {
	Actor      []byte
	Role       uint8
	Name       string
	Country    string
	Site       []byte
	Expires    int64
	Revoked    int64
	Public     []byte
	Registered int64
	Place      uint64
}

type keyRow struct {
	KeyID []byte
	Actor []byte
}

type delegationRow struct {
	Site     []byte
	Person   []byte
	Tasks    []byte
	FromDay  int32
	UntilDay int32
	Ended    int64
	Since    int64
}

type trialRow struct {
	Trial        []byte
	Title        string
	Acronym      string
	Sponsor      string
	SponsorActor []byte
	Status       string
	Registered   int64
	Updated      int64
	Place        uint64
	Sequence     uint64
	Latest       uint32
	Sites        uint64
	Enrolled     uint64
	Active       uint64
	Randomised   uint64
	Deviations   uint64
	Visits       uint64
	Doses        uint64
	Attests      uint64
	Departed     uint64
	Withdrawn    uint64
	Ended        uint64
	Replaced     uint64
	Acts         uint64
	Refused      uint64
	Accounts     uint64
}

type versionRow struct {
	Trial       []byte
	Version     uint32
	Registered  int64
	Effective   int32
	Reason      string
	FormSet     []byte
	Impact      []byte
	Protocol    []byte
	Changes     []byte
	OpenedSites uint64
	FirstOpened int64
	LastDue     int64
	Sequence    uint64
}

type decisionRow struct {
	Trial    []byte
	Place    uint64
	Version  uint32
	Form     string
	Sites    []byte
	Approved bool
	Reason   string
	Ethics   []byte
	Time     int64
	Sequence uint64
}

type openingRow struct {
	Trial    []byte
	Site     []byte
	Version  uint32
	Opened   int64
	Deadline int64
	Existing bool
	Sequence uint64
}

type siteRow struct {
	Trial      []byte
	Site       []byte
	Opened     bool
	Enrolled   uint64
	Active     uint64
	Withdrawn  uint64
	Randomised uint64
	Visits     uint64
	Doses      uint64
}

type counterRow struct {
	Trial       []byte
	Version     uint32
	MemberSet   uint8
	Owed        uint64
	Acts        uint64
	Superseded  uint64
	LeftProved0 uint64 `gorm:"column:left_proved0"`
	LeftProved1 uint64 `gorm:"column:left_proved1"`
	LeftWord0   uint64 `gorm:"column:left_word0"`
	LeftWord1   uint64 `gorm:"column:left_word1"`
	Ended       uint64
}

type leafRow struct {
	Trial  []byte
	Tree   string
	Place  uint64
	Leaf   []byte
	Height uint64
}

type memberRow struct {
	Trial    []byte
	Leaf     []byte
	Place    uint64
	Site     []byte
	Version  uint32
	Day      int32
	Enrolled int64
	Kiosk    bool
	Active   bool
	Departed int64
	Way      uint8
	Replaces []byte
	Replaced bool
	Sequence uint64
}

type membershipRow struct {
	Trial     []byte
	Leaf      []byte
	Version   uint32
	MemberSet uint8
	Place     uint64
	Way       uint8
	Used      bool
}

type accountRow struct {
	Trial       []byte
	Account     []byte
	Number      uint64
	Version     uint32
	Kind        string
	Consented   bool
	ActSequence uint32
	FirstAct    int64
	LatestAct   int64
	Sequence    uint64
}

type randomisationRow struct {
	Trial     []byte
	Place     uint64
	Site      []byte
	Version   uint32
	Day       int32
	Account   []byte
	Deviation string
	Time      int64
	Sequence  uint64
}

type visitRow struct {
	Trial    []byte
	Place    uint64
	Kind     string
	Site     []byte
	Slot     string
	Rep      uint32
	Day      int32
	Account  []byte
	Floor    uint32
	Time     int64
	Sequence uint64
}

type leavingRow struct {
	Trial     []byte
	Place     uint64
	Version   uint32
	Leaf      []byte
	Site      []byte
	MemberSet uint8
	Way       uint8
	Used      bool
	WasActive bool
	Corrected bool
	Time      int64
	Sequence  uint64
}

func (blockRow) TableName() string         { return "blocks" }
func (entryRow) TableName() string         { return "entries" }
func (actorRow) TableName() string         { return "actors" }
func (keyRow) TableName() string           { return "actor_keys" }
func (delegationRow) TableName() string    { return "delegations" }
func (trialRow) TableName() string         { return "trials" }
func (versionRow) TableName() string       { return "versions" }
func (decisionRow) TableName() string      { return "decisions" }
func (openingRow) TableName() string       { return "openings" }
func (siteRow) TableName() string          { return "trial_sites" }
func (counterRow) TableName() string       { return "counters" }
func (leafRow) TableName() string          { return "leaves" }
func (memberRow) TableName() string        { return "members" }
func (membershipRow) TableName() string    { return "memberships" }
func (accountRow) TableName() string       { return "accounts" }
func (randomisationRow) TableName() string { return "randomisations" }
func (visitRow) TableName() string         { return "visits" }
func (leavingRow) TableName() string       { return "leavings" }
