package provider

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"pgregory.net/rapid"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// Tests at the plugin protocol call the provider as Terraform does, without Terraform.

// testOrRapid is a *testing.T or a *rapid.T.
type testOrRapid interface {
	rapid.TB
	Context() context.Context
	Cleanup(cleanup func())
}

// must returns the response to a call. The protocol itself does not fail: the provider's errors are diagnostics.
func must[Response any](response Response, err error) Response {
	if err != nil {
		panic(err)
	}
	return response
}

type resourceTypes struct {
	name                     string
	resource, list, identity tftypes.Type
	attributes               []*tfprotov6.SchemaAttribute
}

// protocol is what Terraform reads from the provider first.
var protocol = sync.OnceValue(func() (learned struct {
	provider               tftypes.Type
	delivery, notification resourceTypes
},
) {
	server := NewServer("test").(*server)
	schemas := must(server.GetProviderSchema(context.Background(), &tfprotov6.GetProviderSchemaRequest{}))
	identities := must(server.GetResourceIdentitySchemas(context.Background(), &tfprotov6.GetResourceIdentitySchemasRequest{}))
	learned.provider = schemas.Provider.ValueType()
	of := func(name string) resourceTypes {
		return resourceTypes{
			name, schemas.ResourceSchemas[name].ValueType(), schemas.ListResourceSchemas[name].ValueType(),
			identities.IdentitySchemas[name].ValueType(), schemas.ResourceSchemas[name].Block.Attributes,
		}
	}
	learned.delivery, learned.notification = of(resourceName), of(notificationName)
	return learned
})

func typesOf(isNotification bool) resourceTypes {
	if isNotification {
		return protocol().notification
	}
	return protocol().delivery
}

func (a attributes) types() resourceTypes { return typesOf(a["event"] != nil) }

func typesOfValue(value tftypes.Value) resourceTypes {
	return typesOf(value.Type() != nil && value.Type().Equal(protocol().notification.resource))
}

// attributes are the attributes of an object that are not null.
type attributes map[string]any

// value returns the object; the zero value if the attributes are nil.
func (a attributes) value(kind tftypes.Type) tftypes.Value {
	if a == nil {
		return tftypes.Value{}
	}
	values := map[string]tftypes.Value{}
	for name, attribute := range kind.(tftypes.Object).AttributeTypes {
		values[name] = tftypes.NewValue(attribute, a[name])
	}
	return tftypes.NewValue(kind, values)
}

// attributesOf returns the known attributes of a value.
func attributesOf(value tftypes.Value) attributes {
	if value.IsNull() {
		return nil
	}
	members := map[string]tftypes.Value{}
	_ = value.As(&members)
	known := attributes{}
	for name, member := range members {
		var text *string
		if member.As(&text) == nil && text != nil {
			known[name] = *text
		}
	}
	return known
}

func (a attributes) text(name string) string {
	text, _ := a[name].(string)
	return text
}

// wire returns a value as the protocol sends it. The zero value is null, of any type.
func wire(kind tftypes.Type, value tftypes.Value) *tfprotov6.DynamicValue {
	if value.IsNull() {
		value = tftypes.NewValue(kind, nil)
	}
	return new(must(tfprotov6.NewDynamicValue(kind, value)))
}

func unwire(kind tftypes.Type, received *tfprotov6.DynamicValue) tftypes.Value {
	if received == nil {
		return tftypes.Value{}
	}
	value := must(received.Unmarshal(kind))
	if value.IsNull() {
		return tftypes.Value{}
	}
	return value
}

// run is one process of the provider. Terraform starts one to plan and another one to apply.
type run struct {
	t      rapid.TB
	ctx    context.Context //nolint:containedctx // The context of the test.
	server *server

	applies atomic.Bool // Whether it has applied a change.
}

// start starts a run with these provider settings.
func (a *account) start(ctx context.Context, t rapid.TB, settings attributes) *run {
	t.Helper()
	block := attributes{
		"endpoint": "http://localhost" + simulator.BasePath, "requests_per_second": 100_000,
		"username": "demo", "password": "demo-password",
	}
	maps.Copy(block, settings)
	inMemoryClient := func(config fonestorm.Config) (*fonestorm.Client, error) {
		config.Transport = inMemory{a}
		return fonestorm.New(config)
	}
	r := &run{t: t, ctx: ctx, server: newServer(&fractelProvider{version: "test", newClient: inMemoryClient})}
	configured := must(r.server.ConfigureProvider(ctx, &tfprotov6.ConfigureProviderRequest{
		Config: wire(protocol().provider, block.value(protocol().provider)),
	}))
	if len(configured.Diagnostics) > 0 {
		t.Fatalf("the provider cannot be configured: %s", configured.Diagnostics[0].Detail)
	}
	return r
}

// call returns the context of one call. As in Terraform, it contains the call's data, which must not be kept.
func (r *run) call() context.Context {
	type received struct{}
	return context.WithValue(r.ctx, received{}, make([]byte, 4<<10))
}

// instance is an object in the state, as Terraform stores it. The zero value is none.
type instance struct {
	state    tftypes.Value
	private  []byte
	identity *tfprotov6.ResourceIdentityData
	tainted  bool
	deposed  bool // Whether another object has replaced it, which was created before the destroy of this one.
}

func (i instance) exists() bool { return !i.state.IsNull() }

// agrees reports whether the state after an error is the state before it, except for credentials that are unknown.
func agrees(after, before instance) bool {
	left, was := attributesOf(after.state), attributesOf(before.state)
	if left.text("url_username") == "" && left.text("url_password") == "" {
		for _, credential := range []string{"url_username", "url_password"} {
			delete(left, credential)
			delete(was, credential)
		}
	}
	return maps.Equal(left, was) && after.exists() == before.exists()
}

func (r *run) validate(config attributes) []*tfprotov6.Diagnostic {
	resp := must(r.server.ValidateResourceConfig(r.call(), &tfprotov6.ValidateResourceConfigRequest{
		TypeName: config.types().name, Config: wire(config.types().resource, config.value(config.types().resource)),
		ClientCapabilities: &tfprotov6.ValidateResourceConfigClientCapabilities{WriteOnlyAttributesAllowed: true},
	}))
	return resp.Diagnostics
}

func (r *run) refresh(i instance) (instance, []*tfprotov6.Diagnostic) {
	types := typesOfValue(i.state)
	resp := must(r.server.ReadResource(r.call(), &tfprotov6.ReadResourceRequest{
		TypeName: types.name, CurrentState: wire(types.resource, i.state), Private: i.private, CurrentIdentity: i.identity,
	}))
	i.state, i.private, i.identity = unwire(types.resource, resp.NewState), resp.Private, resp.NewIdentity
	return i, resp.Diagnostics
}

// importState imports by ID, or by the identity with this ID, as Terraform 1.12 or later can. Then it reads, as Terraform does.
func (r *run) importState(id string, byIdentity bool) (instance, []*tfprotov6.Diagnostic) {
	number, event, isNotification := strings.Cut(id, "/")
	types := typesOf(isNotification)
	request := &tfprotov6.ImportResourceStateRequest{TypeName: types.name, ID: id}
	if byIdentity {
		identity := wire(types.identity, attributes{"fonenumber": number, "event": event}.value(types.identity))
		request.ID, request.Identity = "", &tfprotov6.ResourceIdentityData{IdentityData: identity}
	}
	resp := must(r.server.ImportResourceState(r.call(), request))
	if len(resp.ImportedResources) != 1 {
		return instance{}, resp.Diagnostics
	}
	i := resp.ImportedResources[0]
	return r.refresh(instance{state: unwire(types.resource, i.State), private: i.Private, identity: i.Identity})
}

// listed is one result of a list.
type listed struct {
	name     string
	resource attributes
}

func (r *run) list(types resourceTypes, filter attributes, limit int64) (found []listed, diags []*tfprotov6.Diagnostic) {
	r.t.Helper()
	config := wire(types.list, filter.value(types.list))
	validated := must(r.server.ValidateListResourceConfig(r.call(), &tfprotov6.ValidateListResourceConfigRequest{
		TypeName: types.name, Config: config,
	}))
	if failure(validated.Diagnostics) != nil {
		return nil, validated.Diagnostics
	}
	resp := must(r.server.ListResource(r.call(), &tfprotov6.ListResourceRequest{
		TypeName: types.name, Config: config, IncludeResource: true, Limit: limit,
	}))
	for result := range resp.Results {
		diags = append(diags, result.Diagnostics...)
		if result.Identity != nil {
			identity := attributesOf(unwire(types.identity, result.Identity.IdentityData))
			resource := attributesOf(unwire(types.resource, result.Resource))
			if found = append(found, listed{result.DisplayName, resource}); identity.id() != resource.id() {
				r.t.Errorf("the identity of %v is %v", resource, identity)
			}
		}
	}
	return found, diags
}

// change is the planned change of one resource.
type change struct {
	types           resourceTypes
	before          instance
	config, planned tftypes.Value // The zero value for a destroy.
	private         []byte
	identity        *tfprotov6.ResourceIdentityData
	replaces        bool // Whether the provider requires a replacement.
}

// differs returns the attributes that an update modifies.
func (c change) differs() []tftypes.ValueDiff {
	differences, _ := c.before.state.Diff(c.planned)
	return differences
}

// destruction is the destroy of a replaced object, which gets the private state of the replacement's plan.
func destruction(old instance, private []byte) change {
	return change{types: typesOfValue(old.state), before: old, private: private, identity: old.identity}
}

func (c change) isEmpty() bool { return c.before.state.Equal(c.planned) }

// plan plans the change from an instance to a configuration; nil to destroy it.
func (r *run) plan(before instance, config attributes) (change, []*tfprotov6.Diagnostic) {
	types := config.types()
	if before.exists() {
		types = typesOfValue(before.state)
	}
	kind := types.resource
	c := change{types: types, before: before, config: config.value(kind)}
	after := c.config
	if config != nil {
		after = proposed(before, c.config)
	}
	resp := must(r.server.PlanResourceChange(r.call(), &tfprotov6.PlanResourceChangeRequest{
		TypeName: types.name, PriorState: wire(kind, before.state), ProposedNewState: wire(kind, after),
		Config: wire(kind, c.config), PriorPrivate: before.private, PriorIdentity: before.identity,
	}))
	c.replaces = len(resp.RequiresReplace) > 0 && before.exists()
	c.planned, c.private, c.identity = unwire(kind, resp.PlannedState), resp.PlannedPrivate, resp.PlannedIdentity
	return c, resp.Diagnostics
}

// proposed returns the new state that Terraform proposes: the configuration, and the prior values of computed attributes
// that it omits.
func proposed(before instance, config tftypes.Value) tftypes.Value {
	configured, known := map[string]tftypes.Value{}, map[string]tftypes.Value{}
	_ = config.As(&configured)
	result := maps.Clone(configured) // Do not modify the map of the configured value.
	_ = before.state.As(&known)      // Nothing, if it does not exist.
	for _, attribute := range typesOfValue(config).attributes {
		already, isKnown := known[attribute.Name]
		switch {
		case attribute.WriteOnly:
			result[attribute.Name] = tftypes.NewValue(attribute.Type, nil)
		case attribute.Computed && result[attribute.Name].IsNull() && isKnown:
			result[attribute.Name] = already
		}
	}
	return tftypes.NewValue(config.Type(), result)
}

// apply applies a change. As in Terraform, the returned state is kept even if there are errors. After those of a create, it is tainted.
func (r *run) apply(c change) (instance, []*tfprotov6.Diagnostic) {
	r.t.Helper()
	r.applies.Store(true)
	kind := c.types.resource
	resp := must(r.server.ApplyResourceChange(r.call(), &tfprotov6.ApplyResourceChangeRequest{
		TypeName: c.types.name, PriorState: wire(kind, c.before.state), PlannedState: wire(kind, c.planned),
		Config: wire(kind, c.config), PlannedPrivate: c.private, PlannedIdentity: c.identity,
	}))
	after, failed := c.before, failure(resp.Diagnostics) != nil
	after.state, after.private, after.identity = unwire(kind, resp.NewState), resp.Private, resp.NewIdentity
	after.tainted = after.tainted || failed && !c.before.exists()
	if !failed && (!after.state.Equal(c.planned) || !after.state.IsFullyKnown()) {
		r.t.Fatalf("Terraform would report an inconsistent result: planned %s, got %s", c.planned, after.state)
	}
	return after, resp.Diagnostics
}

// shown returns the detail of a diagnostic and its attribute.
func shown(d *tfprotov6.Diagnostic) string { return d.Detail + " " + d.Attribute.String() }

func wantError(t *testing.T, diags []*tfprotov6.Diagnostic, summary string, texts ...string) {
	t.Helper()
	problem := failure(diags)
	if problem == nil || problem.Summary != summary {
		t.Errorf("the error is %+v, want %q", problem, summary)
		return
	}
	says(t, shown(problem), texts...)
}

// wantWarnings checks that there are exactly the warnings with these summaries, of which empty ones do not count, and that they
// contain these texts.
func wantWarnings(t *testing.T, diags []*tfprotov6.Diagnostic, summaries []string, texts ...string) {
	t.Helper()
	var got []string
	details := ""
	for _, d := range diags {
		if d.Severity == tfprotov6.DiagnosticSeverityWarning {
			got = append(got, d.Summary)
			details += shown(d) + "\n"
		}
	}
	slices.Sort(got)
	want := slices.DeleteFunc(slices.Sorted(slices.Values(summaries)), func(s string) bool { return s == "" })
	if !slices.Equal(got, want) {
		t.Errorf("the warnings are %q, want %q: %s", got, want, details)
	}
	says(t, details, texts...)
}

// failure returns the first error; nil if there is none.
func failure(diags []*tfprotov6.Diagnostic) *tfprotov6.Diagnostic {
	for _, d := range errorsOf(diags) {
		return d
	}
	return nil
}

func errorsOf(diags []*tfprotov6.Diagnostic) []*tfprotov6.Diagnostic {
	return slices.DeleteFunc(slices.Clone(diags), func(d *tfprotov6.Diagnostic) bool { return d.Severity != tfprotov6.DiagnosticSeverityError })
}
