module notified

go 1.21

require github.com/expr-lang/expr v1.16.9
