package api

import (
	"fmt"
	"math"
	"regexp"
	"strings"
	"time"

	"github.com/sempadan/sempadan/geo/risk"
	"github.com/sempadan/sempadan/tiles"
)

// briefingWords are the words of the report on paper. Verbs that stand for a
// number take it as text, written as the language does.
var briefingWords = struct {
	title, lead, asOf, incidents, allIncidents, patrols, sections, model, assessment, severity, only, meeting, stamp, syntheticLayers,
	figures, border, borderNote, blind, blindNote, undetected, undetectedNote, listed, listedNote,
	overview, detail, noRoom, onMap, responses, agreed, unagreed, reading, table, none, noneNote, annex, inputs, input, seen, seenFor, page, ranks,
	landBorder, coast, near, noAuthority, noPresence, today, daysAgo, effect, effectResidual, proposal, insufficient, signed, signs, interval tiles.Words
	heads [8]tiles.Words
	notes []tiles.Words
}{
	title: tiles.Words{EN: "Patrol-gap report", ID: "Laporan celah patroli", MS: "Laporan jurang rondaan"},
	lead: tiles.Words{
		EN: "Border sections ranked by the incidents that patrols would still miss",
		ID: "Ruas perbatasan menurut peringkat kejadian yang masih akan luput dari patroli",
		MS: "Bahagian sempadan mengikut kedudukan insiden yang masih akan terlepas daripada rondaan"},
	asOf: tiles.Words{EN: "As of", ID: "Per", MS: "Setakat"},
	incidents: tiles.Words{
		EN: "Incidents of the last %s days", ID: "Kejadian %s hari terakhir", MS: "Insiden %s hari terakhir"},
	allIncidents: tiles.Words{EN: "All incidents on record", ID: "Semua kejadian yang tercatat", MS: "Semua insiden yang direkodkan"},
	patrols:      tiles.Words{EN: "patrols of the last %s days", ID: "patroli %s hari terakhir", MS: "rondaan %s hari terakhir"},
	sections:     tiles.Words{EN: "sections of about %s km", ID: "ruas sekitar %s km", MS: "bahagian kira-kira %s km"},
	model:        tiles.Words{EN: "Model", ID: "Model", MS: "Model"},
	assessment:   tiles.Words{EN: "Assessment", ID: "Penilaian", MS: "Penilaian"},
	severity: tiles.Words{
		EN: "incidents count by their severity", ID: "kejadian dihitung menurut tingkat keparahan", MS: "insiden dikira mengikut tahap keterukan"},
	only:    tiles.Words{EN: "Only", ID: "Hanya", MS: "Hanya"},
	meeting: tiles.Words{EN: "For the meeting of", ID: "Untuk rapat", MS: "Untuk mesyuarat"},
	stamp:   tiles.Words{EN: "SYNTHETIC DATA", ID: "DATA SINTETIS", MS: "DATA SINTETIK"},
	syntheticLayers: tiles.Words{
		EN: "Synthetic layers: %s.", ID: "Lapisan sintetis: %s.", MS: "Lapisan sintetik: %s."},
	figures: tiles.Words{EN: "Key figures", ID: "Angka utama", MS: "Angka utama"},
	border:  tiles.Words{EN: "of border and coast", ID: "perbatasan dan pantai", MS: "sempadan dan pantai"},
	borderNote: tiles.Words{
		EN: "in %s sections", ID: "dalam %s ruas", MS: "dalam %s bahagian"},
	blind: tiles.Words{EN: "of it is blind", ID: "di antaranya titik buta", MS: "daripadanya titik buta"},
	blindNote: tiles.Words{
		EN: "nobody is known to have looked there: unknown, not safe",
		ID: "tidak diketahui ada yang memeriksa di sana: belum diketahui, bukan aman",
		MS: "tidak diketahui ada yang memeriksa di situ: tidak diketahui, bukan selamat"},
	undetected: tiles.Words{
		EN: "undetected incidents expected in 30 days", ID: "kejadian tak terdeteksi diperkirakan dalam 30 hari", MS: "insiden tidak dikesan dijangka dalam 30 hari"},
	undetectedNote: tiles.Words{
		EN: "80 %% interval %s if all sections are off the same way, narrower otherwise",
		ID: "selang 80 %% %s bila semua ruas meleset ke arah yang sama, selain itu lebih sempit",
		MS: "selang 80 %% %s jika semua bahagian tersasar ke arah yang sama, selain itu lebih sempit"},
	listed: tiles.Words{EN: "gaps in this report", ID: "celah dalam laporan ini", MS: "jurang dalam laporan ini"},
	listedNote: tiles.Words{
		EN: "%s km, %s of the undetected incidents", ID: "%s km, %s dari kejadian tak terdeteksi", MS: "%s km, %s daripada insiden tidak dikesan"},
	overview: tiles.Words{EN: "Overview", ID: "Ikhtisar", MS: "Gambaran keseluruhan"},
	detail:   tiles.Words{EN: "The gaps in detail", ID: "Celah secara rinci", MS: "Jurang secara terperinci"},
	noRoom: tiles.Words{
		EN: "%s numbers found no room; the table has them", ID: "%s nomor tidak mendapat tempat; lihat tabel", MS: "%s nombor tidak mendapat ruang; lihat jadual"},
	onMap: tiles.Words{
		EN: "Numbered here: the first %s and those that no detail map shows",
		ID: "Bernomor di sini: %s yang pertama dan yang tidak ada pada peta rinci",
		MS: "Bernombor di sini: %s yang pertama dan yang tiada pada peta terperinci"},
	responses: tiles.Words{EN: "What each level asks for", ID: "Tindakan menurut tingkat risiko", MS: "Tindakan mengikut tahap risiko"},
	agreed:    tiles.Words{EN: "Agreed in %s; model %s.", ID: "Disepakati dalam %s; model %s.", MS: "Dipersetujui dalam %s; model %s."},
	unagreed: tiles.Words{
		EN: "A proposal that nobody has agreed yet; model %s.",
		ID: "Usulan yang belum disepakati siapa pun; model %s.",
		MS: "Cadangan yang belum dipersetujui sesiapa; model %s."},
	reading: tiles.Words{EN: "How to read this report", ID: "Cara membaca laporan ini", MS: "Cara membaca laporan ini"},
	table:   tiles.Words{EN: "Gaps by rank", ID: "Celah menurut peringkat", MS: "Jurang mengikut kedudukan"},
	none:    tiles.Words{EN: "No gap in this window.", ID: "Tidak ada celah dalam kurun ini.", MS: "Tiada jurang dalam tempoh ini."},
	noneNote: tiles.Words{
		EN: "That is not the same as safe: see what is missing in the data below.",
		ID: "Itu tidak sama dengan aman: lihat di bawah apa yang kurang pada data.",
		MS: "Itu tidak sama dengan selamat: lihat di bawah apa yang kurang pada data."},
	annex:  tiles.Words{EN: "The data behind it", ID: "Data yang mendasarinya", MS: "Data yang menjadi asasnya"},
	inputs: tiles.Words{EN: "Layers that went in", ID: "Lapisan yang dipakai", MS: "Lapisan yang digunakan"},
	input:  tiles.Words{EN: "%s (%s rows, version %d)", ID: "%s (%s baris, versi %d)", MS: "%s (%s baris, versi %d)"},
	seen:   tiles.Words{EN: "Seen by the parties", ID: "Diketahui para pihak", MS: "Dimaklumi pihak-pihak"},
	seenFor: tiles.Words{
		EN: "For %s: place, date, signature", ID: "Untuk %s: tempat, tanggal, tanda tangan", MS: "Bagi pihak %s: tempat, tarikh, tandatangan"},
	page:        tiles.Words{EN: "page %d of %d", ID: "halaman %d dari %d", MS: "halaman %d daripada %d"},
	ranks:       tiles.Words{EN: "%s gaps", ID: "%s celah", MS: "%s jurang"},
	landBorder:  tiles.Words{EN: "Land border %s", ID: "Perbatasan darat %s", MS: "Sempadan darat %s"},
	coast:       tiles.Words{EN: "Coast %s", ID: "Pantai %s", MS: "Pantai %s"},
	near:        tiles.Words{EN: "%s, near %s", ID: "%s, dekat %s", MS: "%s, berhampiran %s"},
	noAuthority: tiles.Words{EN: "nobody on record", ID: "tidak tercatat", MS: "tiada rekod"},
	noPresence:  tiles.Words{EN: "none on record", ID: "tidak tercatat", MS: "tiada rekod"},
	today:       tiles.Words{EN: "today", ID: "hari ini", MS: "hari ini"},
	daysAgo:     tiles.Words{EN: "%s days ago", ID: "%s hari lalu", MS: "%s hari lalu"},
	effect: tiles.Words{
		EN: "One patrol (%s, %s km): search coverage %s → %s", ID: "Satu patroli (%s, %s km): cakupan pencarian %s → %s", MS: "Satu rondaan (%s, %s km): liputan carian %s → %s"},
	effectResidual: tiles.Words{EN: "; undetected %s → %s", ID: "; tak terdeteksi %s → %s", MS: "; tidak dikesan %s → %s"},
	proposal:       tiles.Words{EN: "proposed: %s", ID: "usulan: %s", MS: "cadangan: %s"},
	insufficient:   tiles.Words{EN: "insufficient knowledge", ID: "pengetahuan kurang", MS: "pengetahuan tidak mencukupi"},
	signed:         tiles.Words{EN: "%s signed: %s", ID: "%s menandatangani: %s", MS: "%s menandatangani: %s"},
	signs:          tiles.Words{EN: "Signs of a crisis: %s", ID: "Tanda krisis: %s", MS: "Tanda krisis: %s"},
	interval:       tiles.Words{EN: "%s to %s", ID: "%s sampai %s", MS: "%s hingga %s"},
	heads: [8]tiles.Words{
		{EN: "No.", ID: "No.", MS: "No."},
		{EN: "Section and class", ID: "Ruas dan golongan", MS: "Bahagian dan kelas"},
		{EN: "Level", ID: "Tingkat risiko", MS: "Tahap risiko"},
		{EN: "Who may act", ID: "Yang berwenang bertindak", MS: "Yang berkuasa bertindak"},
		{EN: "Undetected in 30 days", ID: "Tak terdeteksi dalam 30 hari", MS: "Tidak dikesan dalam 30 hari"},
		{EN: "Last presence", ID: "Kehadiran terakhir", MS: "Kehadiran terakhir"},
		{EN: "The week, Monday to Sunday, 0 to 24 h", ID: "Sepekan, Senin sampai Minggu, pukul 0–24", MS: "Seminggu, Isnin hingga Ahad, jam 0–24"},
		{EN: "Why, and what one patrol would change", ID: "Sebab, dan apa yang diubah satu patroli", MS: "Sebab, dan apa yang diubah satu rondaan"},
	},
	notes: []tiles.Words{{
		EN: "The rank goes by the incidents expected in 30 days that no patrol would meet. The interval beside the number holds the true value with a probability of 80 %.",
		ID: "Peringkat disusun menurut perkiraan kejadian dalam 30 hari yang tidak akan bertemu patroli. Selang di sampingnya memuat nilai sebenarnya dengan peluang 80 %.",
		MS: "Kedudukan disusun mengikut jangkaan insiden dalam 30 hari yang tidak akan bertemu rondaan. Selang di sebelahnya mengandungi nilai sebenar dengan kebarangkalian 80 %.",
	}, {
		EN: "Search coverage is not the probability of interception. It is the chance that a patrol finds what stays in place, such as a track or a hidden boat. The chance that a crossing meets a patrol while it is under way is mostly far smaller, and the undetected incidents go by that one.",
		ID: "Cakupan pencarian bukan peluang pencegatan. Cakupan adalah peluang patroli menemukan sesuatu yang menetap, seperti jejak atau perahu tersembunyi. Peluang sebuah penyeberangan bertemu patroli saat berlangsung umumnya jauh lebih kecil, dan kejadian tak terdeteksi dihitung dari peluang itu.",
		MS: "Liputan carian bukan kebarangkalian pemintasan. Liputan ialah kebarangkalian rondaan menemui sesuatu yang kekal di tempatnya, seperti jejak atau bot tersembunyi. Kebarangkalian suatu lintasan bertemu rondaan semasa berlaku lazimnya jauh lebih kecil, dan insiden tidak dikesan dikira daripadanya.",
	}, {
		EN: "A blind spot, hatched on the maps, is a section that nobody is known to have looked at. It is unknown, not safe.",
		ID: "Titik buta, berarsir pada peta, adalah ruas yang tidak diketahui pernah diperiksa. Keadaannya belum diketahui, bukan aman.",
		MS: "Titik buta, berlorek pada peta, ialah bahagian yang tidak diketahui pernah diperiksa. Keadaannya tidak diketahui, bukan selamat.",
	}, {
		EN: "A level is proposed by the model and in force when both countries have signed it. Contested: they have not signed the same, or the proposal has changed since.",
		ID: "Tingkat risiko diusulkan model dan berlaku bila kedua negara menandatanganinya. Belum disepakati: keduanya tidak menandatangani yang sama, atau usulan berubah sesudahnya.",
		MS: "Tahap risiko dicadangkan model dan berkuat kuasa apabila kedua-dua negara menandatanganinya. Belum dipersetujui: kedua-duanya tidak menandatangani yang sama, atau cadangan berubah selepas itu.",
	}, {
		EN: "The picture of the week has the local time of the section: dark, a patrol was there at that hour in the window; light, none; hatched, a device was silent, so that it is not known; a red dot, an incident is on record.",
		ID: "Gambar sepekan memakai waktu setempat ruas itu: gelap, ada patroli pada jam itu dalam kurun ini; terang, tidak ada; berarsir, perangkat tidak mengirim data sehingga tidak diketahui; titik merah, ada kejadian tercatat.",
		MS: "Gambar seminggu menggunakan waktu tempatan bahagian itu: gelap, ada rondaan pada jam itu dalam tempoh ini; cerah, tiada; berlorek, peranti tidak menghantar data maka tidak diketahui; titik merah, ada insiden direkodkan.",
	}, {
		EN: "What one patrol would change is reckoned for one pass along the whole section by day: on foot on land, by sea boat along a coast.",
		ID: "Yang diubah satu patroli dihitung untuk satu kali lewat sepanjang ruas pada siang hari: jalan kaki di darat, kapal laut di pantai.",
		MS: "Yang diubah satu rondaan dikira bagi satu laluan sepanjang bahagian pada siang hari: berjalan kaki di darat, bot laut di pantai.",
	}},
}

var statusWords = map[string]tiles.Words{
	levelProposed:  {EN: "proposed, not signed", ID: "diusulkan, belum ditandatangani", MS: "dicadangkan, belum ditandatangani"},
	levelContested: {EN: "contested", ID: "belum disepakati", MS: "belum dipersetujui"},
	levelInForce:   {EN: "in force", ID: "berlaku", MS: "berkuat kuasa"},
}

var signWords = map[risk.CriticalSign]tiles.Words{
	risk.DeathSign:    {EN: "death", ID: "kematian", MS: "kematian"},
	risk.MassSign:     {EN: "many persons in one incident", ID: "banyak orang dalam satu kejadian", MS: "ramai orang dalam satu insiden"},
	risk.DoublingSign: {EN: "twice as many incidents in 30 days", ID: "kejadian dua kali lipat dalam 30 hari", MS: "insiden dua kali ganda dalam 30 hari"},
}

var countryWords = map[string]tiles.Words{
	"ID": {EN: "Indonesia", ID: "Indonesia", MS: "Indonesia"},
	"MY": {EN: "Malaysia", ID: "Malaysia", MS: "Malaysia"},
	"SG": {EN: "Singapore", ID: "Singapura", MS: "Singapura"},
	"BN": {EN: "Brunei", ID: "Brunei", MS: "Brunei"},
}

var modeWords = map[string]tiles.Words{
	"foot":     {EN: "on foot", ID: "jalan kaki", MS: "berjalan kaki"},
	"sea_boat": {EN: "sea boat", ID: "kapal laut", MS: "bot laut"},
}

var zoneWords = map[string]tiles.Words{
	"":                                  {EN: "Land border", ID: "Perbatasan darat", MS: "Sempadan darat"},
	"Singapore Strait and Riau Islands": {EN: "Singapore Strait and Riau Islands", ID: "Selat Singapura dan Kepulauan Riau", MS: "Selat Singapura dan Kepulauan Riau"},
	"Johor":                             {EN: "Johor", ID: "Johor", MS: "Johor"},
	"Malacca Strait":                    {EN: "Malacca Strait", ID: "Selat Malaka", MS: "Selat Melaka"},
	"Natuna and Anambas":                {EN: "Natuna and Anambas", ID: "Natuna dan Anambas", MS: "Natuna dan Anambas"},
	"West Borneo":                       {EN: "West Borneo", ID: "Kalimantan bagian barat", MS: "Borneo barat"},
	"North-east Borneo":                 {EN: "North-east Borneo", ID: "Kalimantan bagian timur laut", MS: "Borneo timur laut"},
}

// named returns the words for a code, or the code where there are none.
func named(words map[string]tiles.Words, code string, lang tiles.Lang) string {
	if w, ok := words[code]; ok {
		return w.In(lang)
	}
	return code
}

var sectionNames = regexp.MustCompile(`^(Land border|Coast) (\d+)(?:, near (.+))?$`)

// sectionName is a section's name in a language, and the place in it.
func sectionName(name string, lang tiles.Lang) (whole, place string) {
	m := sectionNames.FindStringSubmatch(name)
	if m == nil {
		return name, ""
	}
	words := briefingWords.landBorder
	if m[1] == "Coast" {
		words = briefingWords.coast
	}
	whole, place = fmt.Sprintf(words.In(lang), m[2]), m[3]
	if place != "" {
		whole = fmt.Sprintf(briefingWords.near.In(lang), whole, place)
	}
	return whole, place
}

var months = map[tiles.Lang][12]string{
	tiles.English:    {"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"},
	tiles.Indonesian: {"Januari", "Februari", "Maret", "April", "Mei", "Juni", "Juli", "Agustus", "September", "Oktober", "November", "Desember"},
	tiles.Malay:      {"Januari", "Februari", "Mac", "April", "Mei", "Jun", "Julai", "Ogos", "September", "Oktober", "November", "Disember"},
}

// clockText writes an instant as the border's three clocks show it; WITA and
// MYT are the same.
func clockText(t time.Time, lang tiles.Lang) string {
	at := func(hours int) time.Time { return t.In(time.FixedZone("", hours*3600)) }
	day := func(t time.Time) string { return fmt.Sprintf("%d %s %d", t.Day(), months[lang][t.Month()-1], t.Year()) }
	west, east := at(7), at(8)
	first := day(west) + ", " + west.Format("15:04") + " WIB"
	if day(west) == day(east) {
		return first + " = " + east.Format("15:04") + " WITA/MYT"
	}
	return first + " = " + day(east) + ", " + east.Format("15:04") + " WITA/MYT"
}

// clockName names the clock of a section's week.
func clockName(utcOffsetH int) string {
	switch utcOffsetH {
	case 7:
		return "WIB"
	case 8:
		return "WITA/MYT"
	}
	return fmt.Sprintf("UTC%+d", utcOffsetH)
}

// digits writes a number with at most n significant digits.
func digits(v float64, n int, lang tiles.Lang) string {
	if v == 0 || math.IsNaN(v) || math.IsInf(v, 0) {
		return tiles.Number(0, lang)
	}
	unit := math.Pow(10, math.Floor(math.Log10(math.Abs(v)))-float64(n-1))
	return tiles.Number(math.Round(v/unit)*unit, lang)
}

func percentText(share float64, lang tiles.Lang) string {
	places := 0
	if share > 0 && share < 0.1 {
		places = 1
	}
	scale := math.Pow(10, float64(places))
	return tiles.Number(math.Round(100*share*scale)/scale, lang) + " %"
}

func intervalText(e risk.Estimate, lang tiles.Lang) string {
	return fmt.Sprintf(briefingWords.interval.In(lang), digits(e.Lo80, 2, lang), digits(e.Hi80, 2, lang))
}

// sentence begins with a capital.
func sentence(s string) string {
	for i := range s {
		if i > 0 {
			return strings.ToUpper(s[:i]) + s[i:]
		}
	}
	return strings.ToUpper(s)
}
