// Verifier checks an exported audit log with the code of Go's own checksum database, which shares nothing with Firebreak:
// golang.org/x/mod/sumdb/note for the signature, golang.org/x/mod/sumdb/tlog for the tiles, the entries and the consistency.
//
//	verifier -key FILE [-older CHECKPOINT] FOLDER
//
// It prints the size and the root and exits 0, or prints what is wrong and exits 1. The key is pinned: never the one in FOLDER.
package main

import (
	"encoding/base64"
	"encoding/binary"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8 // a C2SP tile holds 2^8 hashes

func main() {
	keyFile := flag.String("key", "", "file with the pinned verifier key")
	olderFile := flag.String("older", "", "file with a checkpoint seen earlier")
	flag.Parse()
	tree, err := verify(flag.Arg(0), *keyFile, *olderFile)
	if err != nil {
		fmt.Fprintln(os.Stderr, "rejected:", err)
		os.Exit(1)
	}
	fmt.Printf("verified: size %d root %s\n", tree.N, tree.Hash)
}

func verify(folder, keyFile, olderFile string) (tlog.Tree, error) {
	key, err := os.ReadFile(keyFile)
	if err != nil {
		return tlog.Tree{}, err
	}
	verifier, err := note.NewVerifier(strings.TrimSpace(string(key)))
	if err != nil {
		return tlog.Tree{}, err
	}
	tree, err := openCheckpoint(filepath.Join(folder, "checkpoint"), verifier)
	if err != nil {
		return tree, err
	}
	hashes := tlog.TileHashReader(tree, folderTiles(folder))
	if err := verifyEntries(folder, tree, hashes); err != nil || olderFile == "" {
		return tree, err
	}
	older, err := openCheckpoint(olderFile, verifier)
	if err != nil {
		return tree, fmt.Errorf("older checkpoint: %w", err)
	}
	if older.N > tree.N {
		return tree, fmt.Errorf("rolled back from %d to %d entries", older.N, tree.N)
	}
	if older.N == 0 {
		return tree, nil
	}
	proof, err := tlog.ProveTree(tree.N, older.N, hashes)
	if err != nil {
		return tree, err
	}
	return tree, tlog.CheckTree(proof, tree.N, tree.Hash, older.N, older.Hash)
}

// openCheckpoint reads a C2SP checkpoint: origin (the name of the key), size and root, each on a line.
func openCheckpoint(path string, verifier note.Verifier) (tlog.Tree, error) {
	bytes, err := os.ReadFile(path)
	if err != nil {
		return tlog.Tree{}, err
	}
	opened, err := note.Open(bytes, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		return tlog.Tree{}, fmt.Errorf("%s is no checkpoint of %s", path, verifier.Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return tlog.Tree{}, fmt.Errorf("malformed root %q", lines[2])
	}
	return tlog.Tree{N: size, Hash: tlog.Hash(root)}, nil
}

// verifyEntries compares the record hash of every stored entry with the leaf hash that the authenticated tiles have for it.
func verifyEntries(folder string, tree tlog.Tree, hashes tlog.HashReader) error {
	for first := int64(0); first < tree.N; first += 1 << height {
		width := min(tree.N-first, 1<<height)
		bundle, err := os.ReadFile(filepath.Join(folder, path("entries", first>>height, int(width))))
		if err != nil {
			return err
		}
		indexes := make([]int64, width)
		for i := range indexes {
			indexes[i] = tlog.StoredHashIndex(0, first+int64(i))
		}
		leaves, err := hashes.ReadHashes(indexes)
		if err != nil {
			return err
		}
		for i, leaf := range leaves {
			if len(bundle) < 2 || len(bundle) < 2+int(binary.BigEndian.Uint16(bundle)) {
				return fmt.Errorf("entry %d is cut short", first+int64(i))
			}
			end := 2 + int(binary.BigEndian.Uint16(bundle))
			if tlog.RecordHash(bundle[2:end]) != leaf {
				return fmt.Errorf("entry %d is not what its leaf hash says", first+int64(i))
			}
			bundle = bundle[end:]
		}
		if len(bundle) > 0 {
			return fmt.Errorf("something follows entry %d in its bundle", first+width-1)
		}
	}
	return nil
}

// path is the tlog-tiles path: that of a tlog tile without its height.
func path(level string, n int64, width int) string {
	tile := tlog.Tile{H: height, L: 0, N: n, W: width}.Path()
	return filepath.FromSlash("tile/" + level + strings.TrimPrefix(tile, "tile/8/0"))
}

type folderTiles string

func (folder folderTiles) Height() int { return height }

func (folder folderTiles) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(tiles))
	for i, tile := range tiles {
		bytes, err := os.ReadFile(filepath.Join(string(folder), path(strconv.Itoa(tile.L), tile.N, tile.W)))
		if err != nil {
			return nil, err
		}
		data[i] = bytes
	}
	return data, nil
}

func (folder folderTiles) SaveTiles([]tlog.Tile, [][]byte) {}
