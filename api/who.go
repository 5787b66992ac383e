package api

// Role is a set of rights; roles have no order.
type Role string

// The roles.
const (
	Viewer      Role = "viewer"      // generalised maps
	Contributor Role = "contributor" // reports in, sees what a viewer sees
	Planner     Role = "planner"     // sections, gaps, routes and plans
	Analyst     Role = "analyst"     // the raw rows of the own agency
	Admin       Role = "admin"       // keys, agreements, audit; no data
)

// Roles lists the roles.
func Roles() []Role { return []Role{Viewer, Contributor, Planner, Analyst, Admin} }

func roleNames() (out []string) {
	for _, r := range Roles() {
		out = append(out, string(r))
	}
	return out
}

// ownerText names the owner of what somebody uploads.
func (p principal) ownerText() string {
	if p.Local {
		return ""
	}
	return p.Country + "/" + p.Agency
}

// countries are the two that share the border.
var countries = [...]string{"ID", "MY"}
