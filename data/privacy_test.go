package data

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/sempadan/sempadan/geo"
)

func TestJudgeName(t *testing.T) {
	for verdict, names := range map[nameVerdict]string{
		nameForbidden: `name nama Name full_name nama_lengkap namaKorban victim_name nama_korban victim_village_name boat_owner_name fullname surname
			passport no_paspor passport_no pasport nik NIK ktp no_ktp no_kp ic ic_no no_ic mykad nric id_card national_id idCard
			phone phoneNumber phonenumber telp no_telp telepon hp no_hp nohp mobile mobile_no whatsapp
			email e_mail E-Mail emel surel alamat address home_address alamatRumah photo foto photo_url
			description deskripsi narrative kronologi keterangan catatan remarks notes note butiran comments
			fingerprint biometrics sidik_jari religion agama ethnicity suku kaum bangsa birth_date birthdate tgl_lahir tanggal_lahir dob
			health kesihatan kesehatan initials document_no nomor_dokumen username reporter_name name2 officer_name`,
		nameCounted: `victims korban mangsa suspect_count jumlah_tersangka persons officer`,
		nameStored: `id place place_name name_of_place nama_tempat filename file_name nationality_group region location route port_name nama_pelabuhan
			vessel_name village_name nama_desa kampung_name agency_name event_name sector severity deaths missing lat kind coord_source date_basis
			crime_code category cause survivors source region_name icqs season tempoh waktu telok position kebangsaan sumber`,
	} {
		for _, name := range strings.Fields(names) {
			if got := judgeName(name); got != verdict {
				t.Errorf("%s: %d, expected %d (words %v)", name, got, verdict, nameWords(name))
			}
		}
	}
}

func TestPersonal(t *testing.T) {
	long := strings.Repeat("the boat went on and ", 12)
	for _, s := range []string{
		long, "ask siti@example.org", "call +62 812-3456-7890", "0812 3456 7890", "012-345 6789", "03-1234 5678", "6281234567890", "hp:081234567890",
		"3171234508901234", "NIK 3171 2345 0890 1234", "900101-14-5678", "900101145678", "passport A1234567", "K12345678", "paspor AB1234567.",
	} {
		if personal([]byte(s), true) == "" {
			t.Errorf("%q passes", s)
		}
	}
	for _, s := range []string{
		"", "Tunon Taka port, Nunukan", "2022-11-05T04:00:00Z", "05-11-2022 04:00", "05 11 2022 0400", "202211050400", "201211050400", "20221105040000",
		"550e8400-e29b-41d4-a716-446655440000", "pub-20150114-batamsea", "61.07.01.2001", "6107012001", "S11220", "stl-000001", "021000", "0000000123",
		"1.0123456789 110.35578", "https://example.org/berita/435720/malaysia-deportasi-114", "POINT(110.35578 0.98702)", "a@b", "12@3 x",
		"0.98702,110.35578", "12 persons, 3 boats", "' OR 1=1; --",
	} {
		if what := personal([]byte(s), true); what != "" {
			t.Errorf("%q is taken for %s", s, what)
		}
	}
	if personal([]byte("A1234567"), false) != "" {
		t.Error("an identifier is taken for a passport")
	}
}

func TestNeverStored(t *testing.T) {
	secrets := []string{"Siti Aminah", "A1234567", "0812-3456-7890", "3171234508901234", "long story", "Siti binti", "siti@example.org"}
	late := feature(`"info":"call 0812-3456-7890","lampiran":{"who":{"nama":"Siti binti"}},"ref":3171234508901234,"korban":"Siti Aminah","place":"Sebatik","deaths":2`)
	early := feature(`"info":"fine so far","lampiran":{"ok":1},"ref":17,"korban":3,"nama":"Siti Aminah","no_paspor":"A1234567","catatan":"long story","place":"Nunukan","deaths":1`)
	l, r := mustImport(t, collection(early, late, early), geo.KindIncident)
	var out strings.Builder
	if err := Write(&out, FormatGeoJSON, l, nil); err != nil {
		t.Fatal(err)
	}
	for _, s := range secrets {
		if strings.Contains(out.String(), s) {
			t.Errorf("%q is stored: %s", s, &out)
		}
	}
	for _, name := range []string{"nama", "no_paspor", "catatan", "info", "lampiran", "ref", "korban"} {
		found := false
		for _, w := range r.Warnings {
			found = found || w.Code == "column_not_stored" && strings.Contains(w.Message, "“"+name+"”")
		}
		if !found {
			t.Errorf("no warning names %s: %+v", name, r.Warnings)
		}
		for _, c := range l.Columns() {
			if c.Name == name {
				t.Errorf("the column %s is there", name)
			}
		}
	}
	if l.Text(1, "place") != "Sebatik" || l.Number(1, "deaths") != 2 || l.Len() != 3 {
		t.Error(l.Feature(1))
	}
	refusal := mustRefuse(t, 422, "forbidden_columns", collection(early, late), geo.KindIncident, func(o *ImportOptions) { o.Strict = true })
	if !strings.Contains(refusal.Message, "no_paspor") {
		t.Error(refusal.Message)
	}
	mustRefuse(t, 422, "forbidden_columns", "lon,lat,nama\n1,2,x\n", geo.KindPatrolTrack, func(o *ImportOptions) { o.Strict = true }, withMapping(t, "track_id:=T1"))
}

func TestForbiddenNamesByMapping(t *testing.T) {
	l, r := mustImport(t, "lon,lat,nama,catatan,korban,ktp\n1,2,Siti,som.attempt,4,77\n", geo.KindIncident, withMapping(t, "where:nama,kind:catatan,persons_total:korban,external_id:ktp"))
	if l.Text(0, "where") != "" || l.Text(0, "kind") != "som.attempt" || l.Number(0, "persons_total") != 4 || l.Value(0, "external_id") != nil {
		t.Errorf("%v %+v", l.Feature(0).Properties, r.Warnings)
	}
}

func TestPlacesKeepNames(t *testing.T) {
	l, r := mustImport(t, collection(feature(`"name":"Entikong","note":"at the gate"`)), geo.KindCrossing)
	if l.Text(0, "name") != "Entikong" || l.Text(0, "note") == "" || len(r.Warnings) > 0 {
		t.Errorf("%v %+v", l.Feature(0).Properties, r.Warnings)
	}
}

func TestIdentifiersAreJudged(t *testing.T) {
	l, _ := mustImport(t, `{"type":"Feature","id":"3171234508901234","geometry":{"type":"Point","coordinates":[1,2]},"properties":{"external_id":"siti@example.org","id":"A1234567"}}`, geo.KindIncident)
	if l.OwnID(0) != "" || l.Text(0, "external_id") != "" || l.ID(0) != "A1234567" {
		t.Error(l.Feature(0))
	}
}

func TestReportsStaySmall(t *testing.T) {
	var b strings.Builder
	b.WriteString("lon,lat")
	for i := range 500 {
		b.WriteString(",nama_" + strings.Repeat("é<", 40) + "\x01" + itoa(i))
	}
	b.WriteString("\n1,2" + strings.Repeat(",x", 500) + "\n")
	for range 1000 {
		b.WriteString("1,2\n" + strings.Repeat("\x02", 50) + ",2" + strings.Repeat(",x", 500) + "\n")
	}
	_, r, err := importText(b.String(), geo.KindIncident)
	if err != nil {
		t.Fatal(err)
	}
	if answer, _ := json.Marshal(r); len(answer) > 64<<10 {
		t.Errorf("a report of %d bytes", len(answer))
	}
	if len(r.Rows) > MaxRowFaults || len(r.Warnings) > MaxWarnings || !r.RowsTruncated {
		t.Errorf("%d rows, %d warnings", len(r.Rows), len(r.Warnings))
	}
}
