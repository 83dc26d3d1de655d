package main

import (
	"errors"
	"fmt"
	"math/rand"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	firstBackoff   = 50 * time.Millisecond
	longestBackoff = 2 * time.Second
	// No server asks for longer; a damaged number must not hold the program up for ever.
	longestWait = time.Minute
)

// Failure is an error of a server's, with its details, or of an answer that is damaged.
type Failure struct {
	Code         string   `json:"code"` // the name of gRPC's status
	Reason       string   `json:"reason,omitempty"`
	Fields       []string `json:"fields,omitempty"`
	RetrySeconds float64  `json:"retry_seconds,omitempty"`
	Message      string   `json:"message"`

	isFinal bool // another try would end in the same way
}

func (f *Failure) Error() string {
	text := strings.TrimSpace(f.Code + " " + f.Reason)
	if len(f.Fields) > 0 {
		text += " at " + strings.Join(f.Fields, ", ")
	}
	text += ": " + f.Message
	if f.RetrySeconds > 0 {
		text += fmt.Sprintf(" (try again in %g s)", f.RetrySeconds)
	}
	return text
}

// damaged returns the failure of an answer that does not fit its request, or its digest.
func damaged(format string, values ...interface{}) *Failure {
	return &Failure{Code: "DATA_LOSS", Message: fmt.Sprintf(format, values...)}
}

// failureOf returns what an error says. `requestHash` is that of the request that was sent.
func failureOf(err error, requestHash string) *Failure {
	var failure *Failure
	if errors.As(err, &failure) {
		return failure
	}
	said := status.Convert(err)
	failure = &Failure{
		Code: code.Code(said.Code()).String(), Message: said.Message(),
	}
	var info *errdetails.ErrorInfo
	for _, detail := range said.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			info = detail
		case *errdetails.BadRequest:
			for _, violation := range detail.FieldViolations {
				failure.Fields = append(failure.Fields, violation.Field)
			}
		case *errdetails.RetryInfo:
			failure.RetrySeconds = detail.RetryDelay.AsDuration().Seconds()
		}
	}
	if info == nil || info.Domain != "seedbed" {
		return failure // of gRPC, or of something on the way: it may pass
	}
	failure.Reason = info.Reason
	switch said.Code() {
	case codes.Unavailable, codes.ResourceExhausted:
		return failure
	}
	if info.Metadata["request_xxh3_64"] != requestHash {
		return damaged("another request than the one that was sent is refused: %v", failure)
	}
	failure.isFinal = true
	return failure
}

// wait returns how long to wait after so many failures in a row.
func (f *Failure) wait(failures int) time.Duration {
	if f.RetrySeconds > 0 {
		return time.Duration(min(f.RetrySeconds, longestWait.Seconds()) * float64(time.Second))
	}
	longest := firstBackoff << (failures - 1)
	if longest > longestBackoff {
		longest = longestBackoff
	}
	// Clients that failed together must not come back together.
	return longest/2 + time.Duration(rand.Int63n(int64(longest/2)))
}

func min(a, b float64) float64 {
	if a < b {
		return a
	}
	return b
}
