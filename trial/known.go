package trial

import "slices"

// families are the first and the last code of each family of refusals.
var families = [][2]Code{
	{Malformed, UnknownDelegate},
	{ActorExists, AlreadyActing},
	{TrialExists, PlanLocked},
	{SiteNotOpen, TotalFell},
	{ReportExists, LookTooLong},
	{DatasetLocked, AlreadyUnblinded},
	{NoSuchCut, NoCorrection},
	{Reserved, TooLarge},
}

// Known reports whether the table of refusals has the code.
func (c Code) Known() bool {
	return slices.ContainsFunc(families, func(f [2]Code) bool { return f[0] <= c && c <= f[1] })
}
