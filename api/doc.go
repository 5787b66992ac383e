// Package api is how the world asks: HTTP, the web page, metrics. The routes
// are one table in routes.go; each group of them has a file.
package api
