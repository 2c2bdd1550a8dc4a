module store/toolchain/lego

go 1.26.0

require github.com/go-acme/lego/v5 v5.6.0

replace gitlab.com/greyxor/slogor => ./slogor
