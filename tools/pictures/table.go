package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// accountLimit is the rate limit of a standard account, in requests per second.
const accountLimit = 10

// result is one row of the table.
type result struct {
	operation string
	size      float64 // Number of FoneNumbers.
	time      float64 // Duration of the operation in seconds.
	floor     float64 // Seconds that Terraform takes for the same number of resources that do nothing.
	paced     float64 // Minimum duration of the requests at the account's rate limit, in seconds.
}

// readTable returns the rows of the first table in a benchmark report, which needs the columns operation, N, wall, login, get, list,
// set, and floor.
func readTable(report string) ([]result, error) {
	var rows [][]string
	for line := range strings.Lines(report) {
		if cells, isRow := strings.CutPrefix(strings.TrimSpace(line), "|"); isRow {
			rows = append(rows, strings.Split(strings.TrimSuffix(cells, "|"), "|"))
		} else if len(rows) > 0 {
			break
		}
	}
	if len(rows) < 3 { // Titles, separator, and results.
		return nil, errors.New("there is no table with results")
	}
	var results []result
	for _, cells := range rows[2:] {
		r, err := readRow(rows[0], cells)
		if err != nil {
			return nil, err
		}
		results = append(results, r)
	}
	return results, nil
}

func readRow(titles, cells []string) (r result, err error) {
	if len(cells) != len(titles) {
		return r, fmt.Errorf("the row %q has %d cells where there are %d titles", cells, len(cells), len(titles))
	}
	row := map[string]string{}
	for i, title := range titles {
		row[strings.TrimSpace(title)] = strings.TrimSpace(cells[i])
	}
	number := func(title, unit string) float64 {
		n, failed := strconv.ParseFloat(strings.TrimSuffix(row[title], unit), 64)
		if failed != nil {
			err = fmt.Errorf("the column %q has no number in the row %q", title, cells)
		}
		return n
	}
	requests := number("login", "") + number("get", "") + number("list", "") + number("set", "")
	return result{
		operation: row["operation"],
		size:      number("N", ""),
		time:      number("wall", " s"),
		floor:     number("floor", " s"),
		paced:     requests / accountLimit,
	}, err
}
