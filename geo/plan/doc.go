// Package plan says where patrol effort should go.
package plan
