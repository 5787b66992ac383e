package api

import (
	"fmt"
	"slices"

	"github.com/sempadan/sempadan/geo/plan"
	"github.com/sempadan/sempadan/tiles"
)

// planBecauses say what could not be done, by code; %s are the numbers.
var planBecauses = map[string]tiles.Words{
	plan.UnitsUnused: {
		ID: "%s dari %s satuan tidak dapat dipakai",
		MS: "%s daripada %s unit tidak dapat digunakan"},
	plan.HoursTooMany: {
		ID: "%s satuan punya %s jam lebih banyak daripada yang muat dalam kurun ini dengan daya jelajah dan istirahatnya: kurangi jam atau istirahat, atau tambah hari",
		MS: "%s unit mempunyai %s jam lebih daripada yang muat dalam tempoh ini dengan daya tahan dan rehatnya: kurangkan jam atau rehat, atau tambah hari"},
	plan.ExplorationShort: {
		ID: "%s jam untuk penjajakan, diminta %s: satuan tidak dapat menjangkau lebih banyak ruas yang paling sedikit diketahui",
		MS: "%s jam untuk penerokaan, diminta %s: unit tidak dapat sampai ke lebih banyak bahagian yang paling kurang diketahui"},
	plan.NothingExpected: {
		ID: "tidak ada kejadian yang diperkirakan di ruas mana pun: periksa penilaiannya",
		MS: "tiada insiden dijangka di mana-mana bahagian: semak penilaiannya"},
}

// unusedWords say why a unit has no sorties and what to do, by reason.
var unusedWords = map[plan.Reason]tiles.Words{
	plan.NoHours:     {ID: "beri jam tugas", MS: "beri jam bertugas"},
	plan.NoBase:      {ID: "beri bujur dan lintang pangkalannya", MS: "beri longitud dan latitud pangkalannya"},
	plan.ForeignBase: {ID: "pangkalannya di negara lain: pindahkan, atau perbaiki negaranya", MS: "pangkalannya di negara lain: pindahkan, atau betulkan negaranya"},
	plan.NoSpeed:     {ID: "beri kecepatannya dalam km/jam", MS: "beri kelajuannya dalam km/j"},
	plan.NoSight:     {ID: "beri lebar sapuannya dalam meter", MS: "beri lebar sapuannya dalam meter"},
	plan.NoEndurance: {ID: "beri daya jelajah sekurangnya satu jam", MS: "beri daya tahan sekurang-kurangnya sejam"},
	plan.NoMedium:    {ID: "tak ada batas yang dapat diawasi dengan moda ini: periksa modanya", MS: "tiada sempadan yang dapat dipantau dengan mod ini: semak modnya"},
	plan.NoMandate:   {ID: "tak ada batas tempat ia berwenang dengan moda ini: sepakati ruas bersama", MS: "tiada sempadan dalam bidang kuasanya dengan mod ini: setujui bahagian bersama"},
	plan.TooFar:      {ID: "tak ada batas yang cukup dekat untuk satu jam di sana: beri jam atau daya jelajah lebih banyak, atau pangkalan yang lebih dekat", MS: "tiada sempadan yang cukup dekat untuk sejam di sana: beri lebih jam atau daya tahan, atau pangkalan yang lebih dekat"},
	plan.NoNeed:      {ID: "tak ada yang tersisa dari satuan lain", MS: "tiada yang tinggal daripada unit lain"},
}

// boundWords say which plans the upper bound is one on.
var boundWords = tiles.Words{
	EN: "plans of the same units made of the sorties that were tried: every beat (runs of 1, 2, 4 … pieces of border) at every full hour in the lengths tried, and the routes over several beats that were found; with as much exploration. bounds.any_route holds for all routes over the beats",
	ID: "rencana dari satuan yang sama dengan perjalanan yang dicoba: setiap ruas jaga (rangkaian 1, 2, 4 … potongan batas) pada setiap jam penuh dengan lama yang dicoba, dan rute lewat beberapa ruas jaga yang ditemukan; dengan penjajakan sebanyak itu. bounds.any_route berlaku untuk semua rute",
	MS: "rancangan unit yang sama dengan perjalanan yang dicuba: setiap kawasan rondaan (rangkaian 1, 2, 4 … potongan sempadan) pada setiap jam penuh dengan tempoh yang dicuba, dan laluan melalui beberapa kawasan yang ditemui; dengan penerokaan sebanyak itu. bounds.any_route berlaku untuk semua laluan",
}

// nightWords say what night is to a plan.
var nightWords = tiles.Words{
	EN: "night: the sun is more than 0.833 degrees below the horizon at the section, in the middle of the time that an incident lasts; the weather counts at the same instant",
	ID: "malam: matahari lebih dari 0,833 derajat di bawah ufuk di ruas itu, pada pertengahan lamanya kejadian; cuaca dihitung pada saat yang sama",
	MS: "malam: matahari lebih daripada 0.833 darjah di bawah ufuk di bahagian itu, pada pertengahan tempoh insiden; cuaca dikira pada saat yang sama",
}

// In is the plan with its texts in a language; the codes stay.
func (p *PlanAnswer) In(lang tiles.Lang) *PlanAnswer {
	out := *p
	out.BoundFor, out.NightIs = boundWords.In(lang), nightWords.In(lang)
	if lang == tiles.English {
		return &out
	}
	whole := *p.Plan
	whole.Because, whole.Unused = slices.Clone(whole.Because), slices.Clone(whole.Unused)
	for i := range whole.Because {
		b := &whole.Because[i]
		if w, ok := planBecauses[b.Code]; ok {
			if b.Code == plan.NothingExpected {
				b.Text = w.In(lang)
			} else {
				b.Text = fmt.Sprintf(w.In(lang), tiles.Number(b.Count, lang), tiles.Number(b.Of, lang))
			}
		}
	}
	for i := range whole.Unused {
		if w, ok := unusedWords[whole.Unused[i].Reason]; ok {
			whole.Unused[i].Text = w.In(lang)
		}
	}
	out.Plan = &whole
	return &out
}
