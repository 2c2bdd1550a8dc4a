// A service of the store. Its contract with the gateway is in docs/adding-a-service.md.
package main

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

//go:embed openapi.json
var openAPI []byte

var requests atomic.Int64

func main() {
	port := os.Getenv("PORT")
	if len(os.Args) > 1 && os.Args[1] == "--health" {
		os.Exit(health(port))
	}
	slog.SetDefault(slog.New(slog.NewJSONHandler(os.Stdout, nil)))
	if err := serve(port); err != nil {
		slog.Error("the service failed", "error", err)
		os.Exit(1)
	}
}

// health is Docker's health check, because the image has no shell.
func health(port string) int {
	response, err := http.Get("http://127.0.0.1:" + port + "/readyz")
	if err != nil || response.StatusCode != http.StatusOK {
		return 1
	}
	return 0
}

// serve answers requests until SIGTERM, and then for DRAIN_SECONDS more, until the gateway has noticed.
func serve(port string) error {
	server := &http.Server{Addr: ":" + port, Handler: routes(), ReadHeaderTimeout: 10 * time.Second}
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	drained := make(chan error, 1)
	go func() {
		<-stop.Done()
		time.Sleep(drainTime())
		timeout, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		drained <- server.Shutdown(timeout)
	}()
	slog.Info("listening", "port", port)
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-drained
}

func drainTime() time.Duration {
	seconds, err := strconv.ParseFloat(os.Getenv("DRAIN_SECONDS"), 64)
	if err != nil {
		seconds = 1
	}
	return time.Duration(seconds * float64(time.Second))
}

func routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", ok)
	mux.HandleFunc("GET /readyz", ok)
	mux.HandleFunc("GET /metrics", metrics)
	mux.HandleFunc("GET /openapi.json", document)
	mux.HandleFunc("GET /api/example-service/openapi.json", document)
	mux.HandleFunc("GET /api/example-service/items", listItems)
	// For the services that have this one in their dependsOn. The gateway routes nothing under /internal/.
	mux.HandleFunc("GET /internal/items", forCallers(listItems))
	return logged(mux)
}

// forCallers admits only services whose token has its hash in a line of CALLERS_FILE.
func forCallers(handler http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		token := strings.TrimPrefix(r.Header.Get("authorization"), "Bearer ")
		if callerOf(token) == "" {
			http.Error(w, "This route is for other services only.", http.StatusUnauthorized)
			return
		}
		handler(w, r)
	}
}

// callerOf returns the name of the service whose token this is, or "" if it is nobody's.
func callerOf(token string) string {
	// Read for each request, because callers may be added while the service runs.
	callers, err := os.ReadFile(os.Getenv("CALLERS_FILE"))
	if err != nil {
		slog.Error("the callers can't be read", "error", err)
		return ""
	}
	sum := sha256.Sum256([]byte(token))
	hash := hex.EncodeToString(sum[:])
	for _, line := range strings.Split(string(callers), "\n") {
		if name, accepted, _ := strings.Cut(line, " "); accepted == hash {
			return name
		}
	}
	return ""
}

func ok(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, map[string]string{"status": "ok"})
}

func listItems(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, map[string][]string{"items": {}})
}

func document(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("content-type", "application/json")
	_, _ = w.Write(openAPI)
}

func metrics(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("content-type", "text/plain; version=0.0.4")
	_, _ = fmt.Fprintf(w, "# TYPE http_requests_total counter\nhttp_requests_total %d\n", requests.Load())
}

func writeJSON(w http.ResponseWriter, body any) {
	w.Header().Set("content-type", "application/json")
	if err := json.NewEncoder(w).Encode(body); err != nil {
		slog.Warn("a response wasn't sent", "error", err)
	}
}

// logged counts requests and logs those under /api/, without addresses and queries, which are personal data.
func logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		started := time.Now()
		next.ServeHTTP(w, r)
		if r.Pattern != "" && r.URL.Path != "/readyz" && r.URL.Path != "/metrics" {
			slog.Info("request", "route", r.Pattern, "ms", time.Since(started).Milliseconds())
		}
	})
}
