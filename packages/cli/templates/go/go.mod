module store.example/example-service

go 1.24
