package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func get(t *testing.T, path string) *httptest.ResponseRecorder {
	t.Helper()
	recorder := httptest.NewRecorder()
	routes().ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, path, nil))
	return recorder
}

func TestAnswersDockerTheGatewayAndPrometheus(t *testing.T) {
	for _, path := range []string{"/healthz", "/readyz", "/metrics", "/openapi.json"} {
		if code := get(t, path).Code; code != http.StatusOK {
			t.Errorf("%s answers %d", path, code)
		}
	}
	if metrics := get(t, "/metrics").Body.String(); !strings.Contains(metrics, "http_requests_total ") {
		t.Errorf("no counter in %q", metrics)
	}
}

func TestListsItems(t *testing.T) {
	var body struct {
		Items []string `json:"items"`
	}
	response := get(t, "/api/example-service/items")
	if err := json.Unmarshal(response.Body.Bytes(), &body); err != nil || body.Items == nil {
		t.Errorf("the answer is %q", response.Body.String())
	}
}

func TestAdmitsOnlyCallersToInternalRoutes(t *testing.T) {
	file := filepath.Join(t.TempDir(), "CALLERS")
	line := fmt.Sprintf("orders %x\n", sha256.Sum256([]byte("secret")))
	if err := os.WriteFile(file, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("CALLERS_FILE", file)
	for authorization, want := range map[string]int{
		"Bearer secret": http.StatusOK, "Bearer other": http.StatusUnauthorized, "": http.StatusUnauthorized,
	} {
		request := httptest.NewRequest(http.MethodGet, "/internal/items", nil)
		request.Header.Set("authorization", authorization)
		recorder := httptest.NewRecorder()
		routes().ServeHTTP(recorder, request)
		if recorder.Code != want {
			t.Errorf("%q is answered with %d", authorization, recorder.Code)
		}
	}
}

func TestDocumentsItsRoutes(t *testing.T) {
	var document struct {
		Paths map[string]any `json:"paths"`
	}
	if err := json.Unmarshal(openAPI, &document); err != nil {
		t.Fatal(err)
	}
	for path := range document.Paths {
		if code := get(t, path).Code; code != http.StatusOK {
			t.Errorf("%s answers %d", path, code)
		}
	}
}
