package main

import (
	"bytes"
	"errors"
	"image/color"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// panels contains the operations in the chart, side by side. Changes and destroys take as long as creates.
var panels = []struct{ operation, title string }{
	{"create all", "terraform apply, FoneNumbers created"},
	{"no-change plan", "terraform plan, FoneNumbers unchanged"},
}

const (
	width, height vg.Length = 620, 280 // In points: 827 pixels, the width of a GitHub page.
	gap           vg.Length = 12
)

// theme contains the colors for light or dark pages.
type theme struct{ background, text, grid, provider, limit, floor color.Color }

var (
	light = theme{
		background: color.White, text: rgb(0x1f2328), grid: rgb(0xd8dee4),
		provider: rgb(0x0969da), limit: rgb(0xbc4c00), floor: rgb(0x6e7781),
	}
	dark = theme{
		background: rgb(0x0d1117), text: rgb(0xe6edf3), grid: rgb(0x30363d),
		provider: rgb(0x58a6ff), limit: rgb(0xf0883e), floor: rgb(0x8b949e),
	}
)

func rgb(hex uint32) color.Color {
	return color.RGBA{R: uint8(hex >> 16), G: uint8(hex >> 8), B: uint8(hex), A: 0xff} //nolint:gosec // One byte each.
}

// drawChart returns the chart as SVG.
func drawChart(results []result, t theme) ([]byte, error) {
	plot.DefaultFont = font.Font{Typeface: "Liberation", Variant: "Sans"}
	svg := vgsvg.New(width, height)
	canvas := draw.New(svg)
	canvas.FillPolygon(t.background, []vg.Point{{}, {X: width}, {X: width, Y: height}, {Y: height}})
	tiles := draw.Tiles{Rows: 1, Cols: len(panels), PadTop: gap, PadBottom: gap, PadLeft: gap, PadRight: gap, PadX: 2 * gap}
	for i, panel := range panels {
		isOther := func(r result) bool { return r.operation != panel.operation }
		p, err := t.panel(panel.title, slices.DeleteFunc(slices.Clone(results), isOther))
		if err != nil {
			return nil, err
		}
		p.Draw(tiles.At(canvas, i, 0))
	}
	var picture bytes.Buffer
	if _, err := svg.WriteTo(&picture); err != nil {
		return nil, err
	}
	// Few readers have Liberation Sans. Arial and Helvetica have the same widths.
	return bytes.ReplaceAll(picture.Bytes(), []byte("font-family:Liberation Sans;"), []byte("font-family:Arial,Helvetica,'Liberation Sans',sans-serif;")), nil
}

// panel returns the chart of one operation. All panels have the same scales.
func (t theme) panel(title string, results []result) (*plot.Plot, error) {
	if len(results) == 0 {
		return nil, errors.New("there is no result for: " + title)
	}
	p := plot.New()
	p.BackgroundColor = t.background
	p.Title.Text, p.Title.TextStyle.Color, p.Title.Padding = title, t.text, gap/2
	p.Legend.Top, p.Legend.Left, p.Legend.Padding, p.Legend.TextStyle.Color = true, true, gap/4, t.text
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 10, 12_000, 0.1, 1000
	p.X.Tick.Marker = plot.ConstantTicks{{Value: 10, Label: "10"}, {Value: 100, Label: "100"}, {Value: 1000, Label: "1,000"}, {Value: 10_000, Label: "10,000"}}
	p.Y.Tick.Marker = plot.ConstantTicks{{Value: 0.1, Label: "0.1"}, {Value: 1, Label: "1"}, {Value: 10, Label: "10"}, {Value: 100, Label: "100"}}
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Scale, axis.Padding = plot.LogScale{}, gap/2
		axis.Color, axis.Tick.Color, axis.Tick.Label.Color, axis.Label.TextStyle.Color = t.grid, t.grid, t.text, t.text
	}
	p.X.Label.Text, p.Y.Label.Text = "FoneNumbers", "seconds"
	grid := plotter.NewGrid()
	grid.Horizontal.Color, grid.Vertical.Color = t.grid, t.grid
	p.Add(grid)
	for _, s := range []struct {
		name    string
		color   color.Color
		dashes  []vg.Length
		seconds func(result) float64
	}{
		{"Terraform's own work", t.floor, []vg.Length{2, 3}, func(r result) float64 { return r.floor }},
		{"account's limit", t.limit, []vg.Length{6, 3}, func(r result) float64 { return r.paced }},
		{"this provider", t.provider, nil, func(r result) float64 { return r.time }},
	} {
		var points plotter.XYs
		for _, r := range results {
			points = append(points, plotter.XY{X: r.size, Y: s.seconds(r)})
		}
		line, dots, err := plotter.NewLinePoints(points)
		if err != nil {
			return nil, err
		}
		line.Color, line.Width, line.Dashes = s.color, 1.5, s.dashes
		dots.Color, dots.Shape, dots.Radius = s.color, draw.CircleGlyph{}, 2.5
		p.Add(line, dots)
		p.Legend.Add(s.name, line, dots)
	}
	return p, nil
}
