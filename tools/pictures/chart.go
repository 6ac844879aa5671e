package main

import (
	"errors"
	"image/color"
	"slices"
	"strings"

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

// Colors of the chart on a light page.
var (
	background = color.White
	text       = color.RGBA{R: 0x1f, G: 0x23, B: 0x28, A: 0xff}
	grid       = color.RGBA{R: 0xd8, G: 0xde, B: 0xe4, A: 0xff}
	provider   = color.RGBA{R: 0x09, G: 0x69, B: 0xda, A: 0xff}
	limit      = color.RGBA{R: 0xbc, G: 0x4c, B: 0x00, A: 0xff}
	floor      = color.RGBA{R: 0x6e, G: 0x77, B: 0x81, A: 0xff}
)

// darken replaces the colors by those for a dark page.
var darken = strings.NewReplacer("#FFFFFF", "#0D1117", "#1F2328", "#E6EDF3", "#D8DEE4", "#30363D",
	"#0969DA", "#58A6FF", "#BC4C00", "#F0883E", "#6E7781", "#8B949E")

// drawChart returns the chart for a light page as SVG.
func drawChart(results []result) (string, error) {
	plot.DefaultFont = font.Font{Typeface: "Liberation", Variant: "Sans"}
	svg := vgsvg.New(width, height)
	canvas := draw.New(svg)
	canvas.FillPolygon(background, []vg.Point{{}, {X: width}, {X: width, Y: height}, {Y: height}})
	tiles := draw.Tiles{Rows: 1, Cols: len(panels), PadTop: gap, PadBottom: gap, PadLeft: gap, PadRight: gap, PadX: 2 * gap}
	for i, panel := range panels {
		isOther := func(r result) bool { return r.operation != panel.operation }
		p, err := drawPanel(panel.title, slices.DeleteFunc(slices.Clone(results), isOther))
		if err != nil {
			return "", err
		}
		p.Draw(tiles.At(canvas, i, 0))
	}
	var picture strings.Builder
	if _, err := svg.WriteTo(&picture); err != nil {
		return "", err
	}
	// Few readers have Liberation Sans. Arial and Helvetica have the same widths.
	return strings.ReplaceAll(picture.String(), "font-family:Liberation Sans;", "font-family:Arial,Helvetica,'Liberation Sans',sans-serif;"), nil
}

// drawPanel returns the chart of one operation. All panels have the same scales.
func drawPanel(title string, results []result) (*plot.Plot, error) {
	if len(results) == 0 {
		return nil, errors.New("there is no result for: " + title)
	}
	p := plot.New()
	p.BackgroundColor = background
	p.Title.Text, p.Title.TextStyle.Color, p.Title.Padding = title, text, gap/2
	p.Legend.Top, p.Legend.Left, p.Legend.Padding, p.Legend.TextStyle.Color = true, true, gap/4, text
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 10, 12_000, 0.1, 1000
	p.X.Tick.Marker = plot.ConstantTicks{{Value: 10, Label: "10"}, {Value: 100, Label: "100"}, {Value: 1000, Label: "1,000"}, {Value: 10_000, Label: "10,000"}}
	p.Y.Tick.Marker = plot.ConstantTicks{{Value: 0.1, Label: "0.1"}, {Value: 1, Label: "1"}, {Value: 10, Label: "10"}, {Value: 100, Label: "100"}}
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Scale, axis.Padding = plot.LogScale{}, gap/2
		axis.Color, axis.Tick.Color, axis.Tick.Label.Color, axis.Label.TextStyle.Color = grid, grid, text, text
	}
	p.X.Label.Text, p.Y.Label.Text = "FoneNumbers", "seconds"
	lines := plotter.NewGrid()
	lines.Horizontal.Color, lines.Vertical.Color = grid, grid
	p.Add(lines)
	for _, s := range []struct {
		name    string
		color   color.Color
		dashes  []vg.Length
		seconds func(result) float64
	}{
		{"Terraform's own work", floor, []vg.Length{2, 3}, func(r result) float64 { return r.floor }},
		{"account's limit", limit, []vg.Length{6, 3}, func(r result) float64 { return r.paced }},
		{"this provider", provider, nil, func(r result) float64 { return r.time }},
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
