// Sends emails through Dapr's smtp output binding from several goroutines at once, to an SMTP server of its own, and counts those
// that arrive with the recipient or the subject of another one.
//
//	go run . [-callers 16] [-emails 20000]
//	go run -race . -emails 200
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"regexp"
	"strings"
	"sync"

	"github.com/dapr/components-contrib/bindings"
	"github.com/dapr/components-contrib/bindings/smtp"
	"github.com/dapr/components-contrib/metadata"
	"github.com/dapr/kit/logger"
)

// server accepts any email and keeps it.
type server struct {
	net.Listener
	mutex  sync.Mutex
	emails []string
}

func (s *server) serve() {
	for {
		connection, err := s.Accept()
		if err != nil {
			return
		}
		go s.converse(connection)
	}
}

// converse holds one SMTP dialogue (RFC 5321, section 4.1.1).
func (s *server) converse(connection net.Conn) {
	defer connection.Close()
	lines := bufio.NewReader(connection)
	answer := func(text string) { fmt.Fprintf(connection, "%s\r\n", text) }
	answer("220 ready")
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		switch verb, _, _ := strings.Cut(strings.TrimSpace(line), " "); strings.ToUpper(verb) {
		case "DATA":
			answer("354 go on")
			var email strings.Builder
			for {
				if line, err = lines.ReadString('\n'); err != nil {
					return
				}
				if line == ".\r\n" {
					break
				}
				email.WriteString(line)
			}
			s.mutex.Lock()
			s.emails = append(s.emails, email.String())
			s.mutex.Unlock()
			answer("250 kept")
		case "QUIT":
			answer("221 bye")
			return
		default:
			answer("250 ok")
		}
	}
}

var (
	to      = regexp.MustCompile(`(?m)^To: person-(\d+)@example\.com\r?$`)
	subject = regexp.MustCompile(`(?m)^Subject: For person (\d+)\r?$`)
	body    = regexp.MustCompile(`<p>Secret of person (\d+)</p>`)
)

func number(pattern *regexp.Regexp, email string) string {
	if match := pattern.FindStringSubmatch(email); match != nil {
		return match[1]
	}
	return "?"
}

func main() {
	callers := flag.Int("callers", 16, "goroutines that call the binding")
	emails := flag.Int("emails", 20000, "emails to send")
	flag.Parse()

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	mailServer := &server{Listener: listener}
	go mailServer.serve()
	host, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		log.Fatal(err)
	}

	quiet := logger.NewLogger("smtp")
	quiet.SetOutputLevel(logger.ErrorLevel)
	binding := smtp.NewSMTP(quiet)
	properties := map[string]string{"host": host, "port": port, "emailFrom": "sender@example.com"}
	err = binding.Init(context.Background(), bindings.Metadata{Base: metadata.Base{Properties: properties}})
	if err != nil {
		log.Fatal(err)
	}

	// Every request carries every field, so nothing is left to what a former request said.
	send := func(person int) error {
		html, err := json.Marshal(fmt.Sprintf("<p>Secret of person %d</p>", person))
		if err != nil {
			return err
		}
		_, err = binding.Invoke(context.Background(), &bindings.InvokeRequest{
			Operation: bindings.CreateOperation,
			Data:      html,
			Metadata: map[string]string{
				"emailFrom": "sender@example.com",
				"emailTo":   fmt.Sprintf("person-%d@example.com", person),
				"subject":   fmt.Sprintf("For person %d", person),
			},
		})
		return err
	}
	people := make(chan int)
	var sending sync.WaitGroup
	for range *callers {
		sending.Add(1)
		go func() {
			defer sending.Done()
			for person := range people {
				if err := send(person); err != nil {
					log.Print(err)
				}
			}
		}()
	}
	for person := range *emails {
		people <- person
	}
	close(people)
	sending.Wait()

	mailServer.mutex.Lock()
	defer mailServer.mutex.Unlock()
	mixed := 0
	for _, email := range mailServer.emails {
		recipient, title, content := number(to, email), number(subject, email), number(body, email)
		if recipient != content || title != content {
			mixed++
			if mixed <= 5 {
				fmt.Printf("to person %s, subject for person %s, body with the secret of person %s\n", recipient, title, content)
			}
		}
	}
	fmt.Printf("%d callers, %d emails sent, %d arrived, %d of them mixed up\n", *callers, *emails, len(mailServer.emails), mixed)
	if mixed > 0 {
		os.Exit(1)
	}
}
