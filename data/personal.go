package data

import (
	"bytes"
	"strings"
	"unicode"
)

// Words by which the names of columns are judged, in English, Indonesian and
// Malay. A column of an incident or a patrol track is not stored when its name
// holds a word of forbidden; or a word of named and none of places; or all
// words of one of forbiddenTogether.
var (
	forbidden = wordSet(`
		passport paspor pasport nik ktp kk mykad mykid nric npwp ssn ic identity identitas identiti visa imei rekening
		phone phones telephone telp telepon telefon telpon tel hp handphone mobile ponsel cellphone whatsapp wa telegram facebook instagram twitter tiktok
		email emails mail surel emel
		alamat address addresses residence domisili
		photo photos foto fotos gambar image images picture pictures selfie signature tandatangan
		fingerprint fingerprints biometric biometrics biometrik sidikjari dna
		health kesehatan kesihatan medical medis perubatan diagnosis diagnosa disease penyakit hiv pregnant hamil disability
		religion agama ethnicity ethnic etnis etnik suku kaum bangsa race tribe
		birth birthdate birthday dob lahir kelahiran
		narrative narrasi narasi naratif description descriptions deskripsi kronologi kronologis chronology
		keterangan catatan remarks remark notes note nota butiran uraian comment comments komentar komen story kisah
		cmt cmts desc descr ulasan huraian perihal penjelasan penerangan komentar cerita riwayat perincian ikhtisar rumusan
		statement statements pernyataan memo
		testimony kesaksian detail details rincian summary ringkasan freetext
		initials inisial alias nickname panggilan surname firstname lastname fullname plat nopol`)
	named  = wordSet(`name names nama namanya`)
	places = wordSet(`
		place location lokasi tempat file layer dataset source sumber column field event operation operasi op code kode kod
		village desa kampung kampong kelurahan dusun town city kota kabupaten kecamatan district daerah province provinsi state negeri country negara
		region area kawasan wilayah admin adm river sungai sei port pelabuhan jetty jeti dermaga crossing post pos route laluan jalur rute
		island pulau road jalan beach pantai station agency instansi agensi unit vessel kapal boat perahu ship section sector sektor ruas
		border sempadan perbatasan strait selat sea laut bay teluk cape tanjung kind type category patrol patroli rondaan team`)
	persons = wordSet(`
		victim victims korban mangsa suspect suspects tersangka suspek pelaku perpetrator witness saksi informant informan
		person persons orang father mother ayah ibu bapa officer petugas pegawai owner pemilik skipper nakhoda tekong
		reporter pelapor driver sopir pemandu child anak survivor migrant migran passenger penumpang contact kontak user pengguna author editor creator recorder pencatat investigator penyidik anggota member calo broker
		observer observers pengamat pemerhati leader pilot`)
	fillers = wordSet(`no num number nomor nombor id lengkap penuh full first last date tanggal tarikh tgl of the total jumlah count`)

	forbiddenTogether = [][]string{
		{"no", "kp"}, {"national", "id"}, {"id", "card"}, {"id", "number"}, {"kad", "pengenalan"}, {"kartu", "pengenal"},
		{"document", "no"}, {"document", "number"}, {"doc", "no"}, {"doc", "number"}, {"dokumen", "no"}, {"dokumen", "nomor"}, {"dokumen", "nombor"},
		{"reported", "by"}, {"recorded", "by"}, {"created", "by"}, {"dilaporkan", "oleh"}, {"dicatat", "oleh"}, {"direkodkan", "oleh"},
		{"sidik", "jari"}, {"tanda", "tangan"}, {"free", "text"}, {"e", "mail"}, {"cap", "jari"},
	}
)

func wordSet(text string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(text) {
		set[w] = true
	}
	return set
}

// nameVerdict says how a column is treated for its name.
type nameVerdict byte

const (
	nameStored    nameVerdict = iota
	nameCounted               // of persons: numbers are stored, text is not
	nameForbidden             // never stored
)

func judgeName(name string) nameVerdict {
	words := map[string]bool{}
	for _, w := range nameWords(name) {
		words[w] = true
	}
	person, place, isName := false, false, false
	for w := range words {
		if forbidden[w] {
			return nameForbidden
		}
		person = person || persons[w]
		place = place || places[w]
		isName = isName || named[w]
	}
	if isName && (person || !place) {
		return nameForbidden
	}
	for _, together := range forbiddenTogether {
		all := true
		for _, w := range together {
			all = all && words[w]
		}
		if all {
			return nameForbidden
		}
	}
	if person {
		return nameCounted
	}
	return nameStored
}

// nameWords splits a column's name at everything that is not a letter, at
// camelCase humps, and where known words are written together (phonenumber).
func nameWords(name string) []string {
	var words []string
	var word []rune
	flush := func() {
		if len(word) > 0 {
			words = append(words, splitCompound(strings.ToLower(string(word)))...)
			word = word[:0]
		}
	}
	lower := false
	for _, r := range name {
		if !unicode.IsLetter(r) {
			flush()
			lower = false
			continue
		}
		if unicode.IsUpper(r) && lower {
			flush()
		}
		lower = unicode.IsLower(r)
		word = append(word, r)
	}
	flush()
	return words
}

func knownWord(w string) bool {
	return forbidden[w] || named[w] || places[w] || persons[w] || fillers[w]
}

// splitCompound cuts a word into known words if that can be done without rest.
func splitCompound(w string) []string {
	if knownWord(w) || len(w) > 40 {
		return []string{w}
	}
	for n := len(w) - 2; n >= 2; n-- {
		if !knownWord(w[:n]) {
			continue
		}
		if rest := splitCompound(w[n:]); knownWord(rest[0]) {
			return append([]string{w[:n]}, rest...)
		}
	}
	return []string{w}
}

// narrativeRunes is how long a text may be before it counts as a narrative.
const narrativeRunes = 200

// personal returns what a value looks like that must not be stored, or "".
// Identifiers may look like passport numbers; pass weak=false for them.
func personal(s []byte, weak bool) string {
	if weak && len(s) > narrativeRunes && len(bytes.Runes(s)) > narrativeRunes {
		return "long free text"
	}
	if len(s) < 8 {
		return ""
	}
	if hasKey(s) {
		return "an API key"
	}
	if at := bytes.IndexByte(s, '@'); at > 0 && at < len(s)-3 && isWordByte(s[at-1]) && isWordByte(s[at+1]) && bytes.IndexByte(s[at+2:], '.') >= 0 {
		return "an e-mail address"
	}
	if isUUID(s) {
		return ""
	}
	for i := 0; i < len(s); {
		c := s[i]
		if !isWordByte(c) && c != '+' {
			i++
			continue
		}
		if c != '+' && c-'0' >= 10 {
			n := i
			for n < len(s) && isWordByte(s[n]) {
				n++
			}
			inAddress := i > 0 && strings.IndexByte("/-=.", s[i-1]) >= 0
			if weak && !inAddress && isPassport(s[i:n]) {
				return "a passport number"
			}
			i = n
			continue
		}
		run, n := cutDigits(s[i:])
		fraction := i > 1 && s[i-1] == '.' && s[i-2]-'0' < 10
		i += n
		if fraction {
			continue
		}
		if i < len(s) && isWordByte(s[i]) { // digits of a longer word
			for i < len(s) && (isWordByte(s[i]) || s[i] == '-') {
				i++
			}
			continue
		}
		if what := run.personal(); what != "" {
			return what
		}
	}
	return ""
}

// hasKey reports whether a text holds a key of this service: spd_, ten digits,
// _ and 43 characters of base64.
func hasKey(s []byte) bool {
	for {
		at := bytes.Index(s, []byte("spd_"))
		if at < 0 || len(s)-at < 58 {
			return false
		}
		s = s[at+4:]
		if s[10] == '_' && len(bytes.TrimLeft(s[:10], "0123456789abcdef")) == 0 && bytes.IndexFunc(s[11:54], func(r rune) bool {
			return r != '-' && (r >= 0x80 || !isWordByte(byte(r)))
		}) < 0 {
			return true
		}
	}
}

// HasKey reports whether a text holds a key of this service, which is never
// stored.
func HasKey(text string) bool { return hasKey([]byte(text)) }

func isUUID(s []byte) bool {
	return len(s) == 36 && s[8] == '-' && s[13] == '-' && s[18] == '-' && s[23] == '-'
}

func isWordByte(c byte) bool {
	return c-'0' < 10 || c|0x20 >= 'a' && c|0x20 <= 'z' || c >= 0x80 || c == '_'
}

// isPassport: a letter and seven or eight digits, or two letters and seven.
func isPassport(w []byte) bool {
	n := 0
	for n < len(w) && w[n] >= 'A' && w[n] <= 'Z' {
		n++
	}
	for _, c := range w[n:] {
		if c-'0' >= 10 {
			return false
		}
	}
	digits := len(w) - n
	return n == 1 && (digits == 7 || digits == 8) || n == 2 && digits == 7
}

// digitRun is a run of digits in groups parted by single spaces, dashes or
// brackets.
type digitRun struct {
	plus   bool
	digits []byte
	groups []int
}

func cutDigits(s []byte) (r digitRun, n int) {
	if s[0] == '+' {
		r.plus = true
		n++
	}
	group := 0
	end := n
	for ; n < len(s); n++ {
		c := s[n]
		switch {
		case c-'0' < 10:
			if len(r.digits) < 20 {
				r.digits = append(r.digits, c)
			}
			group++
			end = n + 1
			continue
		case (c == ' ' || c == '-' || c == '(' || c == ')') && n-end < 2:
			if group > 0 {
				r.groups = append(r.groups, group)
				group = 0
			}
			continue
		}
		break
	}
	if group > 0 {
		r.groups = append(r.groups, group)
	}
	return r, max(end, 1)
}

// personal recognises an Indonesian NIK (16 digits: region, then birth date
// with 40 added to the day for women), a Malaysian MyKad (12 digits: birth
// date, place, serial), and telephone numbers of both countries.
func (r digitRun) personal() string {
	d, n := r.digits, len(r.digits)
	two := func(i int) int { return int(d[i]-'0')*10 + int(d[i+1]-'0') }
	isDay := func(v int) bool { return v >= 1 && v <= 31 }
	isMonth := func(v int) bool { return v >= 1 && v <= 12 }
	first := 0
	if len(r.groups) > 0 {
		first = r.groups[0]
	}
	switch {
	case n == 16 && !r.plus && two(0) >= 11 && two(0) <= 94 && (isDay(two(6)) || isDay(two(6)-40)) && isMonth(two(8)):
		return "a national identity number"
	case n == 12 && !r.plus && isMonth(two(2)) && isDay(two(4)) && two(6) >= 1 && two(6) <= 59 &&
		(first == 6 || first == 12 && two(0) != 20): // not a bare 201211050400
		return "a national identity number"
	case r.plus && n >= 9 && n <= 15:
		return "a telephone number"
	case n >= 9 && n <= 13 && d[0] == '0' && d[1] != '0' && !r.likeDate():
		return "a telephone number"
	case n >= 11 && n <= 13 && first >= 2 && (two(0) == 62 && d[2] == '8' || two(0) == 60 && d[2] == '1'):
		return "a telephone number"
	}
	return ""
}

func (r digitRun) likeDate() bool {
	g := r.groups
	return len(g) > 1 && g[0] == 2 && g[1] == 2
}
