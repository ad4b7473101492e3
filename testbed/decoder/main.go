// Decoder reads manifests as kubectl and the API server do, for the test that holds Firebreak's own reader against them.
//
// A text in JSON on each line of standard input; on each line of standard output what it holds: {"values": [...]}, or {"error": "..."}
// where kubectl refuses it, or the API server would with fieldValidation=Strict (keys twice, unknown fields of a NetworkPolicy).
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"

	networking "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
	strictjson "sigs.k8s.io/json"
	sigsyaml "sigs.k8s.io/yaml"
)

type answer struct {
	Values []json.RawMessage `json:"values,omitempty"`
	Error  string            `json:"error,omitempty"`
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 64<<20)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	encoder := json.NewEncoder(out)
	for lines.Scan() {
		var text string
		if err := json.Unmarshal(lines.Bytes(), &text); err != nil {
			panic(err)
		}
		values, err := decode(text)
		found := answer{Values: values}
		if err != nil {
			found = answer{Error: err.Error()}
		}
		if err := encoder.Encode(found); err != nil {
			panic(err)
		}
	}
}

func decode(text string) ([]json.RawMessage, error) {
	values := []json.RawMessage{}
	decoder := yaml.NewYAMLOrJSONDecoder(strings.NewReader(text), 4096)
	for {
		var raw runtime.RawExtension
		if err := decoder.Decode(&raw); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		if len(raw.Raw) == 0 || bytes.Equal(raw.Raw, []byte("null")) {
			continue
		}
		if err := strict(raw.Raw); err != nil {
			return nil, err
		}
		values = append(values, raw.Raw)
	}
	return values, keysOnce(text)
}

// Keys twice are gone from what the decoder gives of YAML, so the text is asked.
func keysOnce(text string) error {
	reader := yaml.NewYAMLReader(bufio.NewReader(strings.NewReader(text)))
	for {
		part, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if bytes.HasPrefix(bytes.TrimSpace(part), []byte("{")) {
			continue // strict() has seen the keys of JSON
		}
		if _, err := sigsyaml.YAMLToJSONStrict(part); err != nil {
			return err
		}
	}
}

func strict(raw []byte) error {
	var anything interface{}
	if problems, err := strictjson.UnmarshalStrict(raw, &anything); err != nil || len(problems) > 0 {
		return errors.Join(append(problems, err)...)
	}
	object, isObject := anything.(map[string]interface{})
	if !isObject || object["kind"] != "NetworkPolicy" || object["apiVersion"] != "networking.k8s.io/v1" {
		return nil
	}
	problems, err := strictjson.UnmarshalStrict(raw, &networking.NetworkPolicy{})
	return errors.Join(append(problems, err)...)
}
