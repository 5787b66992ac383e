package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"

	"github.com/sempadan/sempadan/data"
)

// Redacted is a log without what must not be in one: credentials, coordinates,
// and what files and requests say, which may name people. Of an error it keeps the
// words of the program.
func Redacted(next slog.Handler) slog.Handler {
	if _, already := next.(redactor); already {
		return next
	}
	return redactor{next}
}

type redactor struct{ next slog.Handler }

func (h redactor) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

func (h redactor) Handle(ctx context.Context, r slog.Record) error {
	clean := slog.NewRecord(r.Time, r.Level, redact(r.Message), r.PC)
	r.Attrs(func(a slog.Attr) bool {
		clean.AddAttrs(redactAttr(a))
		return true
	})
	return h.next.Handle(ctx, clean)
}

func (h redactor) WithAttrs(attrs []slog.Attr) slog.Handler {
	clean := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		clean[i] = redactAttr(a)
	}
	return redactor{h.next.WithAttrs(clean)}
}

func (h redactor) WithGroup(name string) slog.Handler { return redactor{h.next.WithGroup(name)} }

func redactAttr(a slog.Attr) slog.Attr {
	v := a.Value.Resolve()
	switch v.Kind() {
	case slog.KindString:
		return slog.String(a.Key, redact(v.String()))
	case slog.KindGroup:
		clean := make([]slog.Attr, len(v.Group()))
		for i, in := range v.Group() {
			clean[i] = redactAttr(in)
		}
		return slog.Attr{Key: a.Key, Value: slog.GroupValue(clean...)}
	case slog.KindAny:
		return slog.String(a.Key, redactAny(v.Any()))
	}
	return slog.Attr{Key: a.Key, Value: v}
}

// redactAny tells a value in words that are safe: of a refusal of what was
// sent its code, for its words quote it.
func redactAny(v any) string {
	err, ok := v.(error)
	if !ok {
		return redact(fmt.Sprint(v))
	}
	var refusal *data.Refusal
	var p problem
	switch {
	case errors.As(err, &refusal):
		return "refused: " + refusal.Code
	case errors.As(err, &p) && p.Status < 500:
		return "refused: " + p.Code
	}
	return redact(err.Error())
}

var (
	credentials = regexp.MustCompile(`(spd|spe)_[A-Za-z0-9_.-]+|eyJ[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]*)*|(?i)bearer +\S+`)
	queryParts  = regexp.MustCompile(`\?[A-Za-z_]+=[^\s"']*`)
	quotedText  = regexp.MustCompile("\"(\\\\.|[^\"\\\\])*\"|`[^`]*`")
	coordinate  = regexp.MustCompile(`-?\b\d{1,3}\.\d{2,}\b`)
)

func redact(text string) string {
	text = credentials.ReplaceAllString(text, "[credential]")
	text = queryParts.ReplaceAllString(text, "?…")
	text = quotedText.ReplaceAllString(text, `"…"`)
	return coordinate.ReplaceAllString(text, "#.#")
}
