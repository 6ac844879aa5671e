package main

import (
	"encoding/csv"
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
func readTable(report string) (results []result, err error) {
	table, _, _ := strings.Cut(report[max(0, strings.Index(report, "\n|")):], "\n\n")
	reader := csv.NewReader(strings.NewReader(table))
	reader.Comma = '|'
	rows, err := reader.ReadAll()
	if err != nil {
		return nil, err
	}
	if len(rows) < 3 { // Titles, separator, and results.
		return nil, errors.New("there is no table with results")
	}
	for _, cells := range rows[2:] {
		row := map[string]string{}
		for i, title := range rows[0] {
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
		results = append(results, result{row["operation"], number("N", ""), number("wall", " s"), number("floor", " s"), requests / accountLimit})
	}
	return results, err
}
